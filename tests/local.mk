# `make check` builds the unit tests and hands everything to tests/run, which
# counts what passed. tests/lint compares DISTFILES with what git tracks.
check_PROGRAMS += $(unit_tests)

check-local: $(check_PROGRAMS)
	@ONLY="$${ONLY:-$(CHECK_ONLY)}" DISTFILES='$(DISTFILES)' srcdir='$(abs_srcdir)' \
	builddir='$(abs_builddir)' $(srcdir)/tests/run $(unit_tests)

# all that the tests need, built and not run
check-programs: all-am $(check_PROGRAMS)
.PHONY: check-programs

CLEANFILES += check.log pytest.log tally.jsonl tally-again.jsonl

include tests/bench/local.mk

EXTRA_DIST += tests/run tests/tally.py tests/e2e/test_tally.py tests/lint tests/e2e/test_leaks.py tests/leak/run tests/valgrind/run \
	tests/valgrind/leadd tests/valgrind/libraries.supp
EXTRA_DIST += tests/crash/check.py tests/crash/conftest.py tests/crash/points.py \
	tests/crash/test_crash_points.py tests/crash/test_power_cut.py tests/crash/test_random_kills.py \
	tests/crash/traffic.py tests/crash/writelog.c tests/e2e/test_engine_crashed.py \
	tests/e2e/test_install.py
EXTRA_DIST += tests/e2e/test_duplicates.py tests/e2e/test_merge.py tests/e2e/test_forward.py tests/e2e/test_same_mail.py
EXTRA_DIST += tests/e2e/test_why.py tests/e2e/test_why_mail.py
EXTRA_DIST += tests/e2e/company.py \
	tests/e2e/daemon.py tests/e2e/test_conversation.py tests/e2e/test_conversation_circle.py tests/e2e/test_conversation_leaks.py tests/e2e/roles.py tests/e2e/test_engine_hostile.py tests/e2e/test_leadctl.py \
	tests/e2e/test_main_imap.py tests/e2e/test_main_job.py tests/e2e/test_kinds.py tests/e2e/test_notify.py tests/e2e/test_rep.py tests/e2e/test_calls.py tests/e2e/test_gateways.py tests/e2e/test_texting.py tests/e2e/test_kannel.py tests/e2e/kannel.py tests/e2e/test_roles_together.py \
	tests/e2e/test_supervisor.py tests/e2e/test_bad_input.py tests/e2e/test_sandbox.py tests/e2e/test_sequences.py \
	tests/e2e/test_subverted.py tests/e2e/test_systemd.py \
	tests/e2e/test_storage_faults.py \
	tests/sim/sim.py \
	tests/sim/test_digest_time.py tests/sim/test_week.py tests/sim/test_outbox_time.py tests/sim/test_timer_time.py tests/sim/test_sequence_time.py tests/e2e/test_timers.py tests/e2e/test_alive.py tests/e2e/test_links.py tests/sim/test_calendar_walk.py tests/sim/test_escalation_time.py tests/e2e/test_escalations.py tests/e2e/test_assignment.py tests/e2e/test_migration.py tests/e2e/test_rules_coverage.py \
	tests/e2e/test_backup.py tests/e2e/test_damage.py tests/e2e/test_reconcile.py \
	tests/fixtures/store/schema-2.sql tests/fixtures/store/schema-3.sql \
	tests/fixtures/store/schema-4.sql \
	tests/fixtures/store/schema-5.sql
EXTRA_DIST += tests/e2e/test_late.py
EXTRA_DIST += tests/sim/test_sequence_month.py tests/sim/sequence_model.py
EXTRA_DIST += tests/e2e/corpus.py tests/e2e/test_corpus.py tests/e2e/test_threads.py tests/fixtures/corpus tests/e2e/test_words.py
EXTRA_DIST += tests/e2e/mta.py tests/e2e/test_held.py tests/e2e/test_ladders.py tests/e2e/test_spoof.py tests/e2e/test_proof_servers.py

check_PROGRAMS += tests/unit/gateway_probe
tests_unit_gateway_probe_SOURCES = tests/unit/gateway_probe.c
tests_unit_gateway_probe_LDADD = $(CONFIG_ROOM_LIBS) $(BASE_LIBS)
EXTRA_DIST += tests/fixtures/gateways/bird.json tests/fixtures/gateways/email.json tests/fixtures/gateways/generic.json tests/fixtures/gateways/kannel.json tests/fixtures/gateways/plivo.json tests/fixtures/gateways/sinch.json tests/fixtures/gateways/smstools.json tests/fixtures/gateways/telnyx.json tests/fixtures/gateways/twilio.json tests/fixtures/gateways/vonage.json
EXTRA_DIST += tests/e2e/test_templates.py
EXTRA_DIST += tests/e2e/test_sms.py tests/e2e/test_sms_in.py tests/e2e/test_kannel_in.py
EXTRA_DIST += tests/e2e/test_outbox.py
EXTRA_DIST += tests/crash/test_outbox_kills.py
EXTRA_DIST += tests/e2e/test_confirm.py
EXTRA_DIST += tests/e2e/test_verdict.py
EXTRA_DIST += tests/e2e/test_tasks.py tests/sim/test_task_time.py
EXTRA_DIST += tests/sim/test_relays_time.py
EXTRA_DIST += tests/e2e/test_clicks.py
EXTRA_DIST += tests/e2e/test_gateway_pull.py
EXTRA_DIST += tests/e2e/test_gateway_test.py
EXTRA_DIST += tests/e2e/test_gateway_routes.py
EXTRA_DIST += tests/e2e/test_texting_rules.py
EXTRA_DIST += tests/e2e/test_sms_leaks.py
EXTRA_DIST += tests/e2e/test_sms_by_mail.py
EXTRA_DIST += tests/e2e/test_broadcasts.py
EXTRA_DIST += tests/sim/test_broadcast_time.py
EXTRA_DIST += tests/crash/test_broadcast_kills.py
EXTRA_DIST += tests/e2e/test_invite.py
EXTRA_DIST += tests/e2e/test_optout.py
EXTRA_DIST += tests/e2e/test_sender_rules.py
EXTRA_DIST += tests/e2e/test_optout_page.py tests/e2e/test_optout_all.py
EXTRA_DIST += tests/e2e/test_ctl_words.py
EXTRA_DIST += tests/e2e/test_sequence_start.py tests/crash/test_sequence_start_kills.py
EXTRA_DIST += tests/e2e/test_mms.py
EXTRA_DIST += tests/e2e/test_broadcast_by_mail.py
EXTRA_DIST += tests/fixtures/verify/vendors.mjs tests/fixtures/verify/vendors.json
EXTRA_DIST += tests/e2e/test_sent_copies.py
EXTRA_DIST += tests/e2e/test_late_policy.py tests/e2e/test_sequence_sms.py tests/e2e/test_task_escalations.py
EXTRA_DIST += tests/e2e/smsd.py tests/e2e/test_smstools.py
EXTRA_DIST += tests/e2e/test_relay_status.py
EXTRA_DIST += tests/e2e/test_consents.py
