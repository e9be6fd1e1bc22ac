noinst_LIBRARIES += daemon/base/libbase.a
daemon_base_libbase_a_SOURCES = \
	%D%/bounds.h %D%/buf.c %D%/buf.h %D%/clock.c %D%/clock.h  %D%/err.c %D%/err.h \
	%D%/errlist.c %D%/errlist.h \
	%D%/form.c %D%/form.h %D%/form_check.c %D%/form_check.h %D%/form_multipart.c %D%/form_words.c %D%/form_words.h %D%/frame.c %D%/frame.h %D%/hash.c %D%/hash.h %D%/hook.c %D%/hook.h %D%/json.c %D%/json.h \
	%D%/log.c %D%/log.h %D%/mem.c %D%/mem.h %D%/pin.c %D%/pin.h %D%/place.c %D%/place.h %D%/role.c %D%/role.h %D%/sandbox.c %D%/sandbox.h \
	%D%/log.c %D%/log.h %D%/maildir.c %D%/maildir.h %D%/mem.c %D%/mem.h %D%/place.c %D%/place.h %D%/role.c %D%/role.h %D%/sandbox.c %D%/sandbox.h \
	%D%/sandbox_calls.c %D%/sandbox_landlock.c %D%/sandbox_row.h %D%/slots.c %D%/slots.h \
	%D%/text.c %D%/text.h %D%/units.h %D%/try.c %D%/try.h

# what a preset of an SMS gateway says
daemon_base_libbase_a_SOURCES += %D%/gateway.c %D%/gateway.h %D%/gateway_answer.c

if HAVE_CMOCKA
unit_tests += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_slots
tests_unit_test_slots_SOURCES = tests/unit/test_slots.c
tests_unit_test_slots_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
endif
