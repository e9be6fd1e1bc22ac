noinst_LIBRARIES += daemon/store/libstore.a
daemon_store_libstore_a_SOURCES = \
	%D%/db.h %D%/sqlite.c %D%/fault_vfs.c %D%/fault_vfs.h \
	%D%/sqlite_copy.c %D%/sqlite_inner.h %D%/backup.c %D%/backup.h %D%/hold.c %D%/hold.h %D%/meta.c %D%/meta.h \
	%D%/migrate.c %D%/migrate.h %D%/schema_pipeline.c %D%/schema_crm.c \
	%D%/schema_look.c %D%/schema_lean.c %D%/schema_rules.c %D%/schema_mail.c %D%/schema_sequence.c %D%/schema_optout.c %D%/enrolment.c %D%/enrolment.h %D%/schema_sms.c %D%/counts.c %D%/counts.h \
	%D%/journal.c %D%/journal.h %D%/ledger.c %D%/ledger.h %D%/message.c %D%/message.h \
	%D%/call.c %D%/call.h %D%/notices.c %D%/notices.h %D%/outbox.c %D%/outbox.h %D%/digest.c %D%/digest.h %D%/probe.c %D%/probe.h %D%/rows.c %D%/rows.h \
	%D%/rule_count.c %D%/rule_count.h %D%/rewritten.c %D%/rewritten.h \
	%D%/activation.c %D%/activation.h %D%/secret.c %D%/secret.h %D%/held.c %D%/held.h

# who may be written to, and what comes by SMS
daemon_store_libstore_a_SOURCES += %D%/consent.c %D%/consent.h %D%/schema_sms_in.c %D%/sms_pair.c %D%/sms_pair.h \
	%D%/sms_code.c %D%/sms_code.h %D%/sms_part.c %D%/sms_part.h

# the outbox
daemon_store_libstore_a_SOURCES += %D%/schema_outbox.c %D%/relay.c %D%/relay.h
daemon_store_libstore_a_SOURCES += %D%/sent_copy.c %D%/sent_copy.h
# posts that wait for their sender
daemon_store_libstore_a_SOURCES += %D%/schema_form.c %D%/confirmation.c %D%/confirmation.h \
	%D%/verdict.c %D%/verdict.h
# links of mails that were opened
daemon_store_libstore_a_SOURCES += %D%/schema_click.c %D%/click.c %D%/click.h
# letters to many
daemon_store_libstore_a_SOURCES += %D%/broadcast.c %D%/broadcast.h %D%/schema_broadcast.c

# texting
daemon_store_libstore_a_SOURCES += %D%/sms.c %D%/sms.h
# tasks and meetings
daemon_store_libstore_a_SOURCES += %D%/schema_task.c
# for replay
daemon_store_libstore_a_SOURCES += %D%/history.c %D%/history.h %D%/outcome.c %D%/outcome.h
# tables of the CRM
daemon_store_libstore_a_SOURCES += %D%/record.c %D%/record.h \
	%D%/activity.c %D%/activity.h %D%/bounces.c %D%/bounces.h %D%/happening.c %D%/happening.h %D%/meeting.c %D%/meeting.h %D%/case.c %D%/case.h %D%/contact.c %D%/contact.h \
	%D%/deal.c %D%/deal.h %D%/lead.c %D%/lead.h %D%/pool.c %D%/pool.h \
	%D%/related.c %D%/related.h %D%/merged.c %D%/merged.h %D%/offer.c %D%/offer.h \
	%D%/task.c %D%/task.h %D%/schedule.c %D%/schedule.h %D%/timer.c %D%/timer.h %D%/user.c %D%/user.h

STORE_LIBS = daemon/store/libstore.a $(SQLITE_LIBS)

if HAVE_CMOCKA
unit_tests += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/test_store.c
tests_unit_test_store_LDADD = $(STORE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
