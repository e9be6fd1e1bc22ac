noinst_LIBRARIES += daemon/crm/libcrm.a
daemon_crm_libcrm_a_SOURCES = \
	%D%/address.c %D%/address.h %D%/amount.c %D%/assign.c %D%/assign.h %D%/assign_check.c %D%/assign_list.c %D%/assign_pool.c %D%/assign_who.c %D%/build.h %D%/change.c \
	%D%/check.c %D%/check.h %D%/cmd.h %D%/cmd_absent.c %D%/cmd_address.c %D%/cmd_assign.c %D%/cmd_broadcast.c %D%/cmd_case.c \
	%D%/cmd_deal.c %D%/cmd_note.c %D%/cmd_notify.c %D%/cmd_score.c %D%/cmd_send.c %D%/cmd_sequence.c %D%/zones.c %D%/cmd_set.c %D%/cmd_tag.c %D%/cmd_task.c \
	%D%/digest.c %D%/digest.h %D%/country.c %D%/country.h %D%/cmd_undo.c %D%/undo.h %D%/undo_change.c %D%/cmd_webhook.c %D%/cmd_util.c %D%/command.c %D%/command.h %D%/crm.c %D%/crm.h %D%/ctx.c \
	%D%/ctx.h %D%/enrich.c %D%/enrich.h %D%/events.c %D%/events.h %D%/facts.c %D%/facts.h %D%/fields.c %D%/fields.h \
	%D%/filter.c %D%/filter.h \
	%D%/find.c %D%/find.h %D%/form.c %D%/form.h %D%/grammar.c %D%/grammar.h %D%/identity.c %D%/identity.h %D%/effect.c %D%/ids.c %D%/lint.c %D%/lint.h %D%/lint_begins.c %D%/lint_unused.c %D%/lint_words.c \
	%D%/list.c %D%/list.h %D%/names.c %D%/phone.cc %D%/receive.c %D%/receive_inner.h %D%/receive_user.c %D%/sent.c %D%/rep_lines.c %D%/rep_lines.h %D%/rep_text.c %D%/rep_text.h %D%/render.c %D%/render.h %D%/round.c %D%/round.h %D%/route.c %D%/route.h %D%/see.c %D%/see.h %D%/show.c \
	%D%/territory.c %D%/timeline.c %D%/meeting.c %D%/meeting.h %D%/touch.c %D%/when.c %D%/when.h
# what people write by mail
daemon_crm_libcrm_a_SOURCES += %D%/cmd_lead.c %D%/cmd_snooze.c %D%/rep_names.c %D%/when_words.c %D%/when_words.h
# who may be written to, and what people text
# texting
daemon_crm_libcrm_a_SOURCES += %D%/lint_sms.c %D%/sms_text.c %D%/sms_text.h
daemon_crm_libcrm_a_SOURCES += %D%/consent.c %D%/consent.h %D%/sms_words.c %D%/sms_words.h %D%/sms_command.c %D%/sms_command.h
# what comes again
daemon_crm_libcrm_a_SOURCES += %D%/cmd_invite.c %D%/recur.c %D%/recur.h %D%/task.c %D%/task.h
daemon_crm_libcrm_a_SOURCES += %D%/task_slip.c
daemon_crm_libcrm_a_SOURCES += %D%/consent.c %D%/consent.h %D%/optout_words.c %D%/optout_words.h %D%/sms_words.c %D%/sms_words.h %D%/sms_command.c %D%/sms_command.h
# who is who
daemon_crm_libcrm_a_SOURCES += %D%/click.c %D%/click.h %D%/cmd_merge.c %D%/cmd_take.c %D%/notice_words.c %D%/notice_words.h %D%/company.c %D%/merge.c %D%/merge.h %D%/offer.c %D%/offer.h %D%/suspect.c %D%/twin.c %D%/twin.h

# what is written in somebody's language
daemon_crm_libcrm_a_SOURCES += %D%/language.c %D%/lint_template.c %D%/language.h %D%/templates.c %D%/templates.h

# what other programs tell
daemon_crm_libcrm_a_SOURCES += %D%/happening.c %D%/happening.h %D%/source_map.c %D%/source_map.h \
	%D%/source_path.c %D%/source_path.h

EXTRA_DIST += %D%/freemail.txt
CLEANFILES += %D%/freemail.inc
daemon/crm/address.$(OBJEXT): daemon/crm/freemail.inc
daemon/crm/freemail.inc: %D%/freemail.txt
	$(AM_V_GEN)$(MKDIR_P) daemon/crm && sed -e '/^#/d' -e '/^$$/d' $(srcdir)/%D%/freemail.txt | LC_ALL=C sort -u | \
	sed 's/.*/"&",/' > $@.new && mv $@.new $@

if HAVE_CMOCKA
unit_tests += tests/unit/test_source_presets
tests_unit_test_source_presets_SOURCES = tests/unit/test_source_presets.c
tests_unit_test_source_presets_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCONTRIB='"$(abs_top_srcdir)/contrib"' -DFIXTURES='"$(abs_top_srcdir)/tests/fixtures/sources"'
tests_unit_test_source_presets_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(CONFIG_ROOM_LIBS) \
	$(BASE_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/fixtures/sources tests/e2e/test_sources.py

CRM_LIBS = daemon/crm/libcrm.a $(MAIL_LIBS) $(PHONE_LIBS) $(ICU_LIBS) $(PSL_LIBS) -lstdc++

if HAVE_CMOCKA
unit_tests += tests/unit/test_gateway
tests_unit_test_gateway_SOURCES = tests/unit/test_gateway.c
tests_unit_test_gateway_LDADD = $(CRM_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_crm tests/unit/test_crm_check tests/unit/test_crm_lint tests/unit/test_crm_hostile \
	tests/unit/test_crm_text tests/unit/test_crm_counts tests/unit/test_crm_assign tests/unit/test_rep_lines tests/unit/test_round
unit_tests += tests/unit/test_recur
check_PROGRAMS += tests/unit/recur_probe
tests_unit_recur_probe_SOURCES = tests/unit/recur_probe.c
tests_unit_recur_probe_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS)
tests_unit_test_recur_SOURCES = tests/unit/test_recur.c
tests_unit_test_recur_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rep_lines_SOURCES = tests/unit/test_rep_lines.c
tests_unit_test_rep_lines_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_crm_merge tests/unit/test_sms_words
unit_tests += tests/unit/test_sms_command
tests_unit_test_sms_command_SOURCES = tests/unit/test_sms_command.c
tests_unit_test_sms_command_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_sms_words_SOURCES = tests/unit/test_sms_words.c
tests_unit_test_sms_words_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_crm_twin tests/unit/test_crm_offer
tests_unit_test_crm_offer_SOURCES = tests/unit/test_crm_offer.c tests/unit/crm_fixture.h
tests_unit_test_crm_offer_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_twin_SOURCES = tests/unit/test_crm_twin.c tests/unit/crm_fixture.h
tests_unit_test_crm_twin_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_counts_SOURCES = tests/unit/test_crm_counts.c tests/unit/crm_fixture.h
tests_unit_test_crm_counts_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_round_SOURCES = tests/unit/test_round.c
tests_unit_test_round_LDADD = $(CRM_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS) -lm
tests_unit_test_crm_hostile_SOURCES = tests/unit/test_crm_hostile.c tests/unit/crm_fixture.h
tests_unit_test_crm_hostile_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_check_SOURCES = tests/unit/test_crm_check.c tests/unit/crm_fixture.h
tests_unit_test_crm_check_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(CONFIG_ROOM_LIBS) \
	$(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_lint_SOURCES = tests/unit/test_crm_lint.c tests/unit/crm_fixture.h
tests_unit_test_crm_lint_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_SOURCES = tests/unit/test_crm.c tests/unit/crm_fixture.h
tests_unit_test_crm_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_merge_SOURCES = tests/unit/test_crm_merge.c tests/unit/crm_fixture.h
tests_unit_test_crm_merge_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_assign_SOURCES = tests/unit/test_crm_assign.c tests/unit/crm_fixture.h
tests_unit_test_crm_assign_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_crm_text_SOURCES = tests/unit/test_crm_text.c tests/unit/crm_fixture.h
tests_unit_test_crm_text_LDADD = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
