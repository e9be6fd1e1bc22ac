sbin_PROGRAMS += daemon/leadd
super_sources = %D%/super.h %D%/super.c %D%/super_proc.c %D%/super_reload.c %D%/super_listen.c \
	%D%/super_notify.c %D%/super_secrets.c
daemon_leadd_SOURCES = %D%/leadd.c %D%/super_check.c $(super_sources)
daemon_leadd_LDADD = daemon/tool/libtool.a $(ENGINE_LIBS) daemon/parser/libparser.a \
	daemon/intake/libintake.a daemon/courier/libcourier.a daemon/web/libweb.a \
	$(CRM_LIBS) $(MAIL_LIBS) $(RULE_LIBS) $(STORE_LIBS) $(CONFIG_ROOM_LIBS) $(BASE_LIBS) \
	$(CURL_LIBS) $(ETPAN_LIBS)

# the supervisor around roles that pretend, for tests/e2e/test_supervisor.py
check_PROGRAMS += tests/e2e/fakeleadd
tests_e2e_fakeleadd_SOURCES = tests/e2e/fakeleadd.c $(super_sources)
tests_e2e_fakeleadd_LDADD = $(BASE_LIBS)

bin_PROGRAMS += daemon/leadctl
daemon_leadctl_SOURCES = %D%/ctl.h %D%/leadctl.c %D%/ctl_talk.c %D%/ctl_ingest.c %D%/ctl_message.c %D%/ctl_parse.c \
	%D%/ctl_render.c %D%/ctl_backup.h %D%/ctl_backup.c %D%/ctl_verify.c %D%/ctl_restore.c \
	%D%/ctl_file.c %D%/ctl_source.c %D%/ctl_calendar.c %D%/ctl_rules.h %D%/ctl_rules.c %D%/ctl_rules_check.c %D%/ctl_rules_route.c
daemon_leadctl_SOURCES += %D%/ctl_rules_explain.c %D%/ctl_rules_test.c
daemon_leadctl_SOURCES += %D%/ctl_rules_replay.c %D%/ctl_rules_activate.c
daemon_leadctl_SOURCES += %D%/ctl_simulate.c %D%/ctl_simulate.h
daemon_leadctl_SOURCES += %D%/ctl_template.c %D%/ctl_template.h
daemon_leadctl_SOURCES += %D%/ctl_sequence.c %D%/ctl_pin.c
daemon_leadctl_SOURCES += %D%/ctl_form.c %D%/ctl_form.h %D%/ctl_snippet.c
daemon_leadctl_LDADD = daemon/web/libweb.a $(TOOL_LIBS) $(BASE_LIBS)
EXTRA_DIST += %D%/README.md tests/e2e/load.py tests/e2e/test_clients_hostile.py \
	tests/e2e/test_reload_load.py tests/e2e/test_calendar.py tests/e2e/test_manual.py tests/e2e/test_rules_check.py
