noinst_LIBRARIES += daemon/web/libweb.a
daemon_web_libweb_a_SOURCES = \
	%D%/address.c %D%/address.h %D%/crowd.c %D%/crowd.h \
	%D%/http.c %D%/http.h %D%/http_conn.c %D%/http_conn.h %D%/metrics.c %D%/metrics.h %D%/page.c %D%/page.h %D%/rate.c %D%/rate.h \
	%D%/web.c %D%/web.h %D%/web_answer.c %D%/web_form.c %D%/web_hook.c %D%/web_in.c %D%/web_in.h %D%/web_ui.c
daemon_web_libweb_a_SOURCES += %D%/stamp.c %D%/stamp.h %D%/web_public.c
WEB_LIBS = daemon/web/libweb.a $(BASE_LIBS)

if HAVE_CMOCKA
unit_tests += tests/unit/test_web tests/unit/test_web_form
tests_unit_test_web_SOURCES = tests/unit/test_web.c
tests_unit_test_web_LDADD = $(WEB_LIBS) $(CMOCKA_LIBS)
tests_unit_test_web_form_SOURCES = tests/unit/test_web_form.c tests/fuzz/fuzz_form.c
tests_unit_test_web_form_LDADD = $(WEB_LIBS) $(CMOCKA_LIBS)
endif

EXTRA_DIST += tests/e2e/forms.py tests/e2e/test_forms.py tests/e2e/test_browser.py tests/e2e/test_web.py tests/e2e/hostilehttp.py tests/e2e/test_web_load.py tests/e2e/test_webhooks.py
