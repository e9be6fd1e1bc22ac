noinst_LIBRARIES += daemon/intake/libintake.a
daemon_intake_libintake_a_SOURCES = \
	%D%/box.c %D%/box.h %D%/box_append.c %D%/box_fetch.c %D%/box_request.c %D%/box_run.c %D%/box_start.c \
	%D%/desk.c %D%/desk.h %D%/guard.c %D%/guard.h %D%/imap.c %D%/imap.h %D%/imap_answer.c \
	%D%/imap_answer.h %D%/imap_append.c %D%/imap_idle.c %D%/imap_inner.h %D%/intake.c %D%/intake.h %D%/link.c %D%/link.h \
	%D%/maildir.c %D%/maildir.h %D%/maildir_ask.c %D%/maildir_inner.h %D%/maildir_look.c \
	%D%/maildir_name.c %D%/maildir_parts.c %D%/settings.c %D%/settings.h

if HAVE_CMOCKA
unit_tests += tests/unit/test_guard
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c
tests_unit_test_guard_LDADD = daemon/intake/libintake.a $(BASE_LIBS) $(CMOCKA_LIBS)
endif

EXTRA_DIST += tests/e2e/dovecot.py tests/e2e/imappeer.py tests/e2e/intakes.py \
	tests/e2e/test_intake_hostile.py tests/e2e/test_intake_imap.py tests/e2e/test_intake_maildir.py
