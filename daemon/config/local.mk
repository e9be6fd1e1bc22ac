noinst_LIBRARIES += daemon/config/libconfig.a
daemon_config_libconfig_a_SOURCES = \
	%D%/check.c %D%/config.h %D%/files.c %D%/help.c %D%/keys.c %D%/lex.c %D%/lex.h \
	%D%/load.c %D%/read.c %D%/read.h %D%/scan.c %D%/scan.h %D%/schema.h %D%/split.c \
	%D%/value.c %D%/walk.c

# what a program that reads the config links, before BASE_LIBS
CONFIG_ROOM_LIBS = daemon/config/libconfig.a $(CONFIG_LIBS)

if HAVE_CMOCKA
unit_tests += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c
tests_unit_test_config_LDADD = $(CONFIG_ROOM_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
