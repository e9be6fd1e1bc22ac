# programs of tests/bench/run; built by `make check`, which runs the bench with tiny counts
bench_programs = tests/bench/post tests/bench/bare_http tests/bench/plain_rows tests/bench/sink \
	tests/bench/curl_send tests/bench/rules
check_PROGRAMS += $(bench_programs)
tests_bench_post_SOURCES = %D%/post.c
tests_bench_bare_http_SOURCES = %D%/bare_http.c
tests_bench_bare_http_LDADD = $(EVENT_LIBS)
tests_bench_plain_rows_SOURCES = %D%/plain_rows.c %D%/cost.h
tests_bench_plain_rows_LDADD = $(SQLITE_LIBS)
tests_bench_sink_SOURCES = %D%/sink.c
tests_bench_curl_send_SOURCES = %D%/curl_send.c %D%/cost.h
tests_bench_curl_send_LDADD = $(CURL_LIBS)

tests_bench_rules_SOURCES = %D%/rules.c
tests_bench_rules_LDADD = $(RULE_LIBS) $(BASE_LIBS)

# the bench alone: `make bench-programs && BUILD=... tests/bench/run`
bench-programs: all-am $(bench_programs)
.PHONY: bench-programs

EXTRA_DIST += %D%/run %D%/gauge.py %D%/waiting.py %D%/letters.py %D%/test_bench.py
