# Fuzz targets. Each is built twice from the same file: replay_NAME, a test of
# `make check` that runs the stored inputs of corpus/NAME, and, with --enable-fuzz,
# fuzz_NAME with libFuzzer's main; tests/fuzz/run builds and runs those.
fuzz_play = tests/fuzz/play.c tests/fuzz/play.h
fuzz_wire = tests/fuzz/wire.h

fuzz_command_sources = tests/fuzz/fuzz_command.c tests/fuzz/company.h
fuzz_command_libs = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS)
fuzz_compose_sources = tests/fuzz/fuzz_compose.c $(fuzz_wire)
fuzz_compose_libs = $(MAIL_LIBS) $(BASE_LIBS)
fuzz_config_sources = tests/fuzz/fuzz_config.c
fuzz_config_libs = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(CONFIG_ROOM_LIBS) $(BASE_LIBS)
fuzz_engine_sources = tests/fuzz/fuzz_engine.c tests/fuzz/company.h $(fuzz_play) $(fuzz_wire)
fuzz_engine_libs = $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) \
	$(STORE_LIBS) $(BASE_LIBS)
fuzz_expr_sources = tests/fuzz/fuzz_expr.c tests/unit/rule_facts.h tests/fuzz/expr_seeds.h
fuzz_expr_libs = $(RULE_LIBS) $(BASE_LIBS)
fuzz_form_sources = tests/fuzz/fuzz_form.c
fuzz_form_libs = $(WEB_LIBS)
fuzz_frame_sources = tests/fuzz/fuzz_frame.c $(fuzz_play)
fuzz_frame_libs = daemon/parser/libparser.a daemon/courier/libcourier.a \
	daemon/intake/libintake.a $(MAIL_LIBS) $(BASE_LIBS) $(CURL_LIBS)
fuzz_hook_sources = tests/fuzz/fuzz_hook.c
fuzz_hook_libs = $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) $(STORE_LIBS) $(BASE_LIBS)
fuzz_http_sources = tests/fuzz/fuzz_http.c $(fuzz_play)
fuzz_http_libs = $(WEB_LIBS)
fuzz_imap_sources = tests/fuzz/fuzz_imap.c
fuzz_imap_libs = daemon/intake/libintake.a $(BASE_LIBS) $(ETPAN_LIBS)
fuzz_json_sources = tests/fuzz/fuzz_json.c
fuzz_json_libs = $(BASE_LIBS)
fuzz_mail_sources = tests/fuzz/fuzz_mail.c
fuzz_mail_libs = $(MAIL_LIBS) $(BASE_LIBS)
fuzz_proof_sources = tests/fuzz/fuzz_proof.c
fuzz_proof_libs = $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) $(STORE_LIBS) $(BASE_LIBS)
fuzz_reply_sources = tests/fuzz/fuzz_reply.c
fuzz_reply_libs = daemon/courier/libcourier.a $(BASE_LIBS)
fuzz_calendar_sources = tests/fuzz/fuzz_calendar.c
fuzz_calendar_libs = $(MAIL_LIBS) $(BASE_LIBS)
fuzz_dsn_sources = tests/fuzz/fuzz_dsn.c
fuzz_dsn_libs = $(MAIL_LIBS) $(BASE_LIBS)
fuzz_sms_sources = tests/fuzz/fuzz_sms.c
fuzz_sms_libs = $(CRM_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(BASE_LIBS)
fuzz_words_sources = tests/fuzz/fuzz_words.c
fuzz_words_libs = $(MAIL_LIBS) $(BASE_LIBS)

unit_tests += \
	tests/fuzz/replay_command \
	tests/fuzz/replay_compose \
	tests/fuzz/replay_config \
	tests/fuzz/replay_engine \
	tests/fuzz/replay_expr \
	tests/fuzz/replay_form \
	tests/fuzz/replay_frame \
	tests/fuzz/replay_hook \
	tests/fuzz/replay_http \
	tests/fuzz/replay_imap \
	tests/fuzz/replay_json \
	tests/fuzz/replay_mail \
	tests/fuzz/replay_proof \
	tests/fuzz/replay_reply \
	tests/fuzz/replay_calendar \
	tests/fuzz/replay_dsn \
	tests/fuzz/replay_sms \
	tests/fuzz/replay_words
tests_fuzz_replay_command_SOURCES = tests/fuzz/replay.c $(fuzz_command_sources)
tests_fuzz_replay_command_LDADD = $(fuzz_command_libs)
tests_fuzz_replay_compose_SOURCES = tests/fuzz/replay.c $(fuzz_compose_sources)
tests_fuzz_replay_compose_LDADD = $(fuzz_compose_libs)
tests_fuzz_replay_config_SOURCES = tests/fuzz/replay.c $(fuzz_config_sources)
tests_fuzz_replay_config_LDADD = $(fuzz_config_libs)
tests_fuzz_replay_engine_SOURCES = tests/fuzz/replay.c $(fuzz_engine_sources)
tests_fuzz_replay_engine_LDADD = $(fuzz_engine_libs)
tests_fuzz_replay_expr_SOURCES = tests/fuzz/replay.c $(fuzz_expr_sources)
tests_fuzz_replay_expr_LDADD = $(fuzz_expr_libs)
tests_fuzz_replay_form_SOURCES = tests/fuzz/replay.c $(fuzz_form_sources)
tests_fuzz_replay_form_LDADD = $(fuzz_form_libs)
tests_fuzz_replay_frame_SOURCES = tests/fuzz/replay.c $(fuzz_frame_sources)
tests_fuzz_replay_frame_LDADD = $(fuzz_frame_libs)
tests_fuzz_replay_hook_SOURCES = tests/fuzz/replay.c $(fuzz_hook_sources)
tests_fuzz_replay_hook_LDADD = $(fuzz_hook_libs)
tests_fuzz_replay_http_SOURCES = tests/fuzz/replay.c $(fuzz_http_sources)
tests_fuzz_replay_http_LDADD = $(fuzz_http_libs)
tests_fuzz_replay_imap_SOURCES = tests/fuzz/replay.c $(fuzz_imap_sources)
tests_fuzz_replay_imap_LDADD = $(fuzz_imap_libs)
tests_fuzz_replay_json_SOURCES = tests/fuzz/replay.c $(fuzz_json_sources)
tests_fuzz_replay_json_LDADD = $(fuzz_json_libs)
tests_fuzz_replay_mail_SOURCES = tests/fuzz/replay.c $(fuzz_mail_sources)
tests_fuzz_replay_mail_LDADD = $(fuzz_mail_libs)
tests_fuzz_replay_proof_SOURCES = tests/fuzz/replay.c $(fuzz_proof_sources)
tests_fuzz_replay_proof_LDADD = $(fuzz_proof_libs)
tests_fuzz_replay_reply_SOURCES = tests/fuzz/replay.c $(fuzz_reply_sources)
tests_fuzz_replay_reply_LDADD = $(fuzz_reply_libs)
tests_fuzz_replay_calendar_SOURCES = tests/fuzz/replay.c $(fuzz_calendar_sources)
tests_fuzz_replay_calendar_LDADD = $(fuzz_calendar_libs)
tests_fuzz_replay_dsn_SOURCES = tests/fuzz/replay.c $(fuzz_dsn_sources)
tests_fuzz_replay_dsn_LDADD = $(fuzz_dsn_libs)
tests_fuzz_replay_sms_SOURCES = tests/fuzz/replay.c $(fuzz_sms_sources)
tests_fuzz_replay_sms_LDADD = $(fuzz_sms_libs)
tests_fuzz_replay_words_SOURCES = tests/fuzz/replay.c $(fuzz_words_sources)
tests_fuzz_replay_words_LDADD = $(fuzz_words_libs)

if FUZZ
noinst_PROGRAMS += \
	tests/fuzz/fuzz_command \
	tests/fuzz/fuzz_compose \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_engine \
	tests/fuzz/fuzz_expr \
	tests/fuzz/fuzz_form \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_hook \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_imap \
	tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_mail \
	tests/fuzz/fuzz_proof \
	tests/fuzz/fuzz_reply \
	tests/fuzz/fuzz_calendar \
	tests/fuzz/fuzz_dsn \
	tests/fuzz/fuzz_sms \
	tests/fuzz/fuzz_words
fuzz_link = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_command_SOURCES = $(fuzz_command_sources)
tests_fuzz_fuzz_command_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_command_LDADD = $(fuzz_command_libs)
tests_fuzz_fuzz_compose_SOURCES = $(fuzz_compose_sources)
tests_fuzz_fuzz_compose_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_compose_LDADD = $(fuzz_compose_libs)
tests_fuzz_fuzz_config_SOURCES = $(fuzz_config_sources)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_config_LDADD = $(fuzz_config_libs)
tests_fuzz_fuzz_engine_SOURCES = $(fuzz_engine_sources)
tests_fuzz_fuzz_engine_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_engine_LDADD = $(fuzz_engine_libs)
tests_fuzz_fuzz_expr_SOURCES = $(fuzz_expr_sources)
tests_fuzz_fuzz_expr_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_expr_LDADD = $(fuzz_expr_libs)
tests_fuzz_fuzz_form_SOURCES = $(fuzz_form_sources)
tests_fuzz_fuzz_form_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_form_LDADD = $(fuzz_form_libs)
tests_fuzz_fuzz_frame_SOURCES = $(fuzz_frame_sources)
tests_fuzz_fuzz_frame_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_frame_LDADD = $(fuzz_frame_libs)
tests_fuzz_fuzz_hook_SOURCES = $(fuzz_hook_sources)
tests_fuzz_fuzz_hook_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_hook_LDADD = $(fuzz_hook_libs)
tests_fuzz_fuzz_http_SOURCES = $(fuzz_http_sources)
tests_fuzz_fuzz_http_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_http_LDADD = $(fuzz_http_libs)
tests_fuzz_fuzz_imap_SOURCES = $(fuzz_imap_sources)
tests_fuzz_fuzz_imap_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_imap_LDADD = $(fuzz_imap_libs)
tests_fuzz_fuzz_json_SOURCES = $(fuzz_json_sources)
tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_json_LDADD = $(fuzz_json_libs)
tests_fuzz_fuzz_mail_SOURCES = $(fuzz_mail_sources)
tests_fuzz_fuzz_mail_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_mail_LDADD = $(fuzz_mail_libs)
tests_fuzz_fuzz_proof_SOURCES = $(fuzz_proof_sources)
tests_fuzz_fuzz_proof_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_proof_LDADD = $(fuzz_proof_libs)
tests_fuzz_fuzz_reply_SOURCES = $(fuzz_reply_sources)
tests_fuzz_fuzz_reply_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_reply_LDADD = $(fuzz_reply_libs)
tests_fuzz_fuzz_calendar_SOURCES = $(fuzz_calendar_sources)
tests_fuzz_fuzz_calendar_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_calendar_LDADD = $(fuzz_calendar_libs)
tests_fuzz_fuzz_dsn_SOURCES = $(fuzz_dsn_sources)
tests_fuzz_fuzz_dsn_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_dsn_LDADD = $(fuzz_dsn_libs)
tests_fuzz_fuzz_sms_SOURCES = $(fuzz_sms_sources)
tests_fuzz_fuzz_sms_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_sms_LDADD = $(fuzz_sms_libs)
tests_fuzz_fuzz_words_SOURCES = $(fuzz_words_sources)
tests_fuzz_fuzz_words_LDFLAGS = $(fuzz_link)
tests_fuzz_fuzz_words_LDADD = $(fuzz_words_libs)
endif

EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus tests/fuzz/engine.dict
