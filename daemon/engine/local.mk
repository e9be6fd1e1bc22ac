noinst_LIBRARIES += daemon/engine/libengine.a
ENGINE_LIBS = daemon/engine/libengine.a $(PSL_LIBS)
daemon_engine_libengine_a_SOURCES = \
	%D%/call.c %D%/call.h %D%/call_make.c %D%/call_settle.c %D%/ctl_calls.c \
	%D%/alive.c %D%/alive.h %D%/link.c %D%/link.h %D%/probe.c %D%/digest.c %D%/reminder.c %D%/reminder.h %D%/invite.c %D%/invite.h %D%/asks.c %D%/asks.h %D%/bounce.c %D%/bounce.h %D%/clients.c %D%/clients.h \
	%D%/coverage.c %D%/coverage.h %D%/ctl_rules.c \
	%D%/conversation.c %D%/conversation.h %D%/conversation_inner.h %D%/conversation_relay.c %D%/conversation_words.c %D%/conversation_words.h \
	%D%/letter.c %D%/letter.h %D%/notice_foot.c %D%/notice_foot.h \
	%D%/ctl.c %D%/ctl.h %D%/ctl_copies.c %D%/ctl_relay.c %D%/ctl_mailbox.c %D%/ctl_message.c %D%/ctl_outbox.c %D%/ctl_records.c \
	%D%/ctl_status.c %D%/ctl_template.c %D%/ctl_why.c %D%/why_again.c %D%/why_mail.c %D%/engine.c %D%/engine.h %D%/dress.c %D%/dress.h %D%/sent_copies.c %D%/sent_copies.h %D%/followup.c %D%/hold.c %D%/hold.h \
	%D%/inbound.c %D%/inbound_user.c %D%/inbound_user.h %D%/input.c %D%/input.h %D%/ladder.c %D%/ladder.h %D%/mailbox.c %D%/notice.c %D%/notice.h \
	%D%/ours.c %D%/ours.h %D%/outbound.c %D%/optout.c %D%/optout.h %D%/optout_page.c %D%/outgoing.c %D%/outgoing.h %D%/parsed.c %D%/parsed.h %D%/parsing.c %D%/peers.c %D%/queue.c %D%/retry.c %D%/retry.h %D%/solo.c %D%/solo.h %D%/solo_in.c %D%/solo_inner.h %D%/stats.c %D%/storage.c %D%/storage.h %D%/storm.c %D%/storm.h \
	%D%/rep.c %D%/rep.h %D%/rep_answer.c %D%/rep_ask.c %D%/rep_inner.h \
	%D%/store_open.c %D%/store_open.h \
	%D%/suspect.c %D%/suspect.h \
	%D%/budget.c %D%/budget.h %D%/ctl_timers.c %D%/firing.c %D%/firing.h %D%/late.c %D%/late.h %D%/loop.c \
	%D%/timer.c %D%/timer.h %D%/timer_reload.c %D%/timer_rule.c %D%/escalation.c %D%/enrol.c %D%/enrol.h %D%/sequence.c %D%/ctl_sequence.c %D%/ctl_begin.c %D%/schedule.c %D%/walk.c \
	%D%/budget.c %D%/budget.h %D%/ctl_timers.c %D%/firing.c %D%/firing.h %D%/loop.c \
	%D%/timer.c %D%/timer.h %D%/timer_reload.c %D%/timer_rule.c %D%/escalation.c %D%/enrol.c %D%/enrol.h %D%/sequence.c %D%/ctl_sequence.c %D%/ctl_begin.c %D%/broadcast.c %D%/broadcast.h \
	%D%/broadcast_plan.c %D%/broadcast_seen.c %D%/broadcast_send.c %D%/broadcast_who.c %D%/broadcast_do.c \
	%D%/ctl_broadcast.c %D%/segment.c %D%/segment.h %D%/schedule.c %D%/walk.c \
	%D%/thread.c %D%/thread.h %D%/token.c %D%/token.h %D%/why.h

# the outbox
daemon_engine_libengine_a_SOURCES += %D%/lanes.c %D%/lanes.h %D%/outbound_inner.h %D%/outbound_settle.c \
	%D%/relays.c %D%/relays.h %D%/turn.c %D%/turn.h

# what other programs tell by HTTP
daemon_engine_libengine_a_SOURCES += %D%/quota.c %D%/quota.h %D%/source.c %D%/verify.c %D%/verify.h %D%/verify_inner.h %D%/verify_signed.c %D%/verify_url.c %D%/webhook.c %D%/webhook.h
# forms
daemon_engine_libengine_a_SOURCES += %D%/arrival.h %D%/form_guard.c %D%/form_guard.h %D%/inbound_form.c %D%/judge.c %D%/judge.h %D%/click.c %D%/click.h %D%/click_inner.h %D%/click_rewrite.c %D%/confirm.c %D%/confirm.h %D%/confirm_inner.h %D%/confirm_page.c %D%/public.c %D%/public.h

if HAVE_CMOCKA
unit_tests += tests/unit/test_verify
tests_unit_test_verify_SOURCES = tests/unit/test_verify.c
tests_unit_test_verify_LDADD = $(ENGINE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
# SMS
daemon_engine_libengine_a_SOURCES += %D%/sms_in.c %D%/sms_receipt.c %D%/media.c %D%/media.h

# texting
daemon_engine_libengine_a_SOURCES += %D%/ctl_gateway.c %D%/gateways.c %D%/gateways.h %D%/sms_out.c %D%/sms_out.h %D%/sms_receipt.h
daemon_engine_libengine_a_SOURCES += %D%/gateway_pull.c %D%/gateway_pull.h %D%/gateway_test.c %D%/gateway_test.h
# who may command by mail
daemon_engine_libengine_a_SOURCES += %D%/dropbox.c %D%/dropbox.h %D%/duplicate.c %D%/duplicate.h %D%/same.c %D%/same.h
daemon_engine_libengine_a_SOURCES += %D%/align.c %D%/align.h %D%/held.c %D%/held.h %D%/proof.c %D%/proof.h %D%/secret.c %D%/secret.h \
	%D%/signature.c %D%/signature.h \
	%D%/trust.c %D%/trust.h

# who may be texted, and what comes by SMS
daemon_engine_libengine_a_SOURCES += %D%/consent.c %D%/consent.h %D%/ctl_consent.c %D%/quiet.c %D%/quiet.h \
	%D%/sms_in.h %D%/sms_file.c %D%/sms_rep.c %D%/sms_rep.h %D%/conversation_sms.c %D%/conversation_sms.h

if HAVE_CMOCKA
unit_tests += tests/unit/test_proof
tests_unit_test_proof_SOURCES = tests/unit/test_proof.c tests/unit/crm_fixture.h
tests_unit_test_proof_LDADD = $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) \
	$(STORE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_engine tests/unit/test_ours tests/unit/test_solo
tests_unit_test_solo_SOURCES = tests/unit/test_solo.c
tests_unit_test_solo_LDADD = $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) \
	$(STORE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ours_SOURCES = tests/unit/test_ours.c
tests_unit_test_ours_LDADD = $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) \
	$(STORE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_lanes
tests_unit_test_lanes_SOURCES = tests/unit/test_lanes.c
tests_unit_test_lanes_LDADD = $(ENGINE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c
tests_unit_test_engine_LDADD = $(ENGINE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
