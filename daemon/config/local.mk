noinst_LIBRARIES += daemon/config/libconfig.a
daemon_config_libconfig_a_SOURCES = \
	%D%/attach.c %D%/check.c %D%/check_hooks.c %D%/check_inner.h %D%/config.h %D%/files.c %D%/help.c %D%/ics.c %D%/ics.h %D%/keys.c %D%/keys.h %D%/keys_form.c %D%/keys_hooks.c %D%/keys_rules.c %D%/keys_sms.c %D%/lex.c %D%/lex.h \
	%D%/load.c %D%/preset.c %D%/read.c %D%/read.h %D%/read_calendar.c %D%/scan.c %D%/scan.h %D%/schema.h %D%/split.c \
	%D%/tests.c %D%/value.c %D%/walk.c

# what a program that reads the config links, before BASE_LIBS
CONFIG_ROOM_LIBS = daemon/config/libconfig.a $(CONFIG_LIBS) $(ICAL_LIBS)

if HAVE_CMOCKA
unit_tests += tests/unit/test_config tests/unit/test_config_hostile tests/unit/test_config_ics
tests_unit_test_config_SOURCES = tests/unit/test_config.c tests/unit/config_files.h
tests_unit_test_config_CPPFLAGS = $(AM_CPPFLAGS) $(config_fixtures)
tests_unit_test_config_LDADD = $(CONFIG_ROOM_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_config_hostile_SOURCES = tests/unit/test_config_hostile.c tests/unit/config_files.h
tests_unit_test_config_hostile_CPPFLAGS = $(AM_CPPFLAGS) $(config_fixtures)
tests_unit_test_config_hostile_LDADD = $(CONFIG_ROOM_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_config_ics_SOURCES = tests/unit/test_config_ics.c
tests_unit_test_config_ics_LDADD = $(CONFIG_ROOM_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
config_fixtures = -DFIXTURES='"$(abs_top_srcdir)/tests/fixtures/config"' \
	-DMAN='"$(abs_top_srcdir)/contrib/man"' -DEXAMPLES='"$(abs_top_srcdir)/rules"'

config_good = tests/fixtures/config/good
EXTRA_DIST += tests/fixtures/config/bad.txt tests/fixtures/config/good.json \
	tests/fixtures/config/wrong-rules.txt \
	$(config_good)/leadd.conf $(config_good)/people.conf $(config_good)/pw \
	$(config_good)/rules.d/at.ics $(config_good)/rules.d/10-first.conf $(config_good)/rules.d/20-second.conf \
	$(config_good)/rules.d/30-third.conf.bak $(config_good)/rules.d/40-tests.conf $(config_good)/rules.d/many.txt \
	$(config_good)/templates/notes.md $(config_good)/templates/two.tmpl \
	$(config_good)/templates/welcome.txt
