noinst_LIBRARIES += daemon/courier/libcourier.a
daemon_courier_libcourier_a_SOURCES = \
	%D%/courier.c %D%/courier.h %D%/job.c %D%/job.h %D%/gate.c %D%/gate.h %D%/hop.c %D%/hop.h %D%/hook.c %D%/hook.h \
	%D%/http.c %D%/http.h %D%/query.c %D%/query.h \
	%D%/media.c %D%/media.h %D%/multi.c %D%/multi.h %D%/relay.c %D%/relay.h %D%/reply.c %D%/reply.h \
	%D%/smtp.c %D%/smtp.h \
	%D%/sms.c %D%/sms.h %D%/spool.c %D%/spool.h

if HAVE_CMOCKA
unit_tests += tests/unit/test_courier
tests_unit_test_courier_SOURCES = tests/unit/test_courier.c tests/fuzz/fuzz_reply.c
tests_unit_test_courier_LDADD = daemon/courier/libcourier.a $(BASE_LIBS) $(CURL_LIBS) $(CMOCKA_LIBS)
endif

EXTRA_DIST += tests/e2e/peers.py tests/e2e/httppeer.py tests/e2e/test_courier.py \
	tests/e2e/test_peers.py tests/e2e/test_receiver.py
