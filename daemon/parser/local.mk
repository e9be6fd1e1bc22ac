noinst_LIBRARIES += daemon/parser/libparser.a
daemon_parser_libparser_a_SOURCES = %D%/misbehave.c %D%/misbehave.h %D%/parser.c %D%/parser.h

EXTRA_DIST += tests/e2e/test_parser.py
