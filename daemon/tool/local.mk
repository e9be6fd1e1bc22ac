noinst_LIBRARIES += daemon/tool/libtool.a
daemon_tool_libtool_a_SOURCES = \
	%D%/expect.c %D%/expect.h %D%/expect_check.h %D%/expect_record.c %D%/expect_seen.c \
	%D%/explain.c %D%/explain.h %D%/reason.c %D%/scene.c %D%/scene.h %D%/scene_mail.c \
	%D%/tests.c %D%/tests.h %D%/tests_check.c

# what a program links that tries rules out; before BASE_LIBS
TOOL_LIBS = daemon/tool/libtool.a $(ENGINE_LIBS) $(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) \
	$(STORE_LIBS) $(CONFIG_ROOM_LIBS)

EXTRA_DIST += tests/e2e/test_rules_explain.py tests/e2e/test_rules_reload.py tests/e2e/test_rules_test.py

daemon_tool_libtool_a_SOURCES += %D%/replay.c %D%/replay.h %D%/replay_diff.c
EXTRA_DIST += tests/e2e/test_rules_replay.py tests/e2e/test_rules_activate.py

daemon_tool_libtool_a_SOURCES += %D%/simulate.c %D%/simulate.h %D%/simulate_in.c %D%/simulate_tell.c
EXTRA_DIST += tests/e2e/test_simulate.py
