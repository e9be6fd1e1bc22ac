noinst_LIBRARIES += daemon/mail/libmail.a
daemon_mail_libmail_a_SOURCES = \
	%D%/address.c %D%/address.h %D%/away.c %D%/away.h %D%/body.c %D%/body.h %D%/bounce.c %D%/bounce.h \
	%D%/bounce_text.c %D%/bounce_words.c %D%/calendar.c %D%/calendar.h %D%/calendar_zone.c %D%/calendar_write.c %D%/calendar_write.h \
	%D%/charset.c %D%/charset.h \
	%D%/classify.c %D%/classify.h \
	%D%/compose.c %D%/compose.h %D%/encode.c %D%/encode.h %D%/ctx.c %D%/ctx.h %D%/date.c %D%/flow.c \
	%D%/flow.h %D%/header.c %D%/header.h %D%/html.c %D%/html.h %D%/html_guard.c %D%/html_guard.h %D%/parse.c %D%/parse.h \
	%D%/part.c %D%/part.h %D%/print.c %D%/receipt.c %D%/reply.c %D%/rtf.c %D%/rtf.h %D%/tnef.c %D%/tnef.h \
	%D%/transfer.c %D%/transfer.h %D%/word.c %D%/word.h \
	%D%/authres.c %D%/authres.h %D%/cfws.c %D%/cfws.h
# the new words, signature and forward of a mail
daemon_mail_libmail_a_SOURCES += \
	%D%/forward.c %D%/forward.h %D%/forward_date.c %D%/html_quote.c %D%/html_quote.h \
	%D%/lines.c %D%/lines.h %D%/phrases.c %D%/phrases.h %D%/phrases_list.h %D%/quote.c \
	%D%/quote.h %D%/reply.h %D%/signature.c %D%/signature.h

# The libraries behind libmail.a; put it in front of BASE_LIBS.
MAIL_LIBS = daemon/mail/libmail.a $(ETPAN_LIBS) $(ICU_LIBS) $(GUMBO_LIBS) $(YTNEF_LIBS)

if HAVE_CMOCKA
unit_tests += tests/unit/test_mail
tests_unit_test_mail_SOURCES = tests/unit/test_mail.c
tests_unit_test_mail_LDADD = $(MAIL_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_mail_fuzz tests/unit/test_mail_hostile
tests_unit_test_mail_fuzz_SOURCES = tests/unit/test_mail_fuzz.c tests/fuzz/fuzz_mail.c
tests_unit_test_mail_fuzz_LDADD = $(MAIL_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_mail_hostile_SOURCES = tests/unit/test_mail_hostile.c
tests_unit_test_mail_hostile_LDADD = $(MAIL_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_mail_compose
tests_unit_test_mail_compose_SOURCES = tests/unit/test_mail_compose.c
tests_unit_test_mail_compose_LDADD = $(MAIL_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif

EXTRA_DIST += tests/fixtures/mail
