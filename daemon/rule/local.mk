noinst_LIBRARIES += daemon/rule/librule.a
daemon_rule_librule_a_SOURCES = \
	%D%/calendar.c %D%/calendar.h %D%/calendar_read.c %D%/calendar_set.h \
	%D%/day.c %D%/day.h %D%/schedule.c %D%/schedule.h %D%/zone.c %D%/zone.h %D%/quiet.c %D%/quiet.h \
	%D%/expr.c %D%/expr.h %D%/expr_ast.h %D%/expr_check.c %D%/expr_eval.c \
	%D%/expr_facts.c %D%/expr_lex.c %D%/expr_literal.c %D%/expr_parse.c %D%/expr_print.c \
	%D%/expr_regex.c %D%/expr_time.c %D%/expr_trace.c \
	%D%/field.c %D%/field.h %D%/fold.c %D%/index.c %D%/index.h %D%/index_inner.h \
	%D%/index_probe.c \
	%D%/lint.c %D%/lint.h %D%/lint_cycle.c %D%/lint_pairs.c %D%/lint_sequence.c %D%/lint_set.h %D%/lint_solve.c \
	%D%/lint_solve.h %D%/lint_worlds.c \
	%D%/map.c %D%/map.h %D%/match.c %D%/match_inner.h %D%/record.c %D%/record.h \
	%D%/record_value.c %D%/record_inner.h %D%/record_read.c %D%/ruleset_fields.c \
	%D%/money.c %D%/ruleset.c %D%/ruleset_escalation.c %D%/ruleset.h %D%/ruleset_set.h %D%/ruleset_time.c \
	%D%/broadcast.c %D%/broadcast.h %D%/segment.c %D%/segment.h \
	%D%/sequence.c %D%/sequence.h %D%/table.c %D%/table.h \
	%D%/template.c %D%/template.h %D%/template_check.c %D%/template_ops.h %D%/template_read.c %D%/template_render.c \
	%D%/template_sites.c \
	%D%/window.c %D%/window.h %D%/words.c %D%/words.h

# what a program needs to link the rules
RULE_LIBS = daemon/rule/librule.a $(PCRE2_LIBS) $(ICU_LIBS)

# business time counted twice, see tests/sim/test_calendar_walk.py
check_PROGRAMS += tests/sim/calendar_sums
tests_sim_calendar_sums_SOURCES = tests/sim/calendar_sums.c
tests_sim_calendar_sums_LDADD = $(RULE_LIBS) $(BASE_LIBS)

if HAVE_CMOCKA
unit_tests += tests/unit/test_rule_property
tests_unit_test_rule_property_SOURCES = tests/unit/test_rule_property.c tests/unit/rule_random.h \
	tests/unit/rule_facts.h
tests_unit_test_rule_property_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_rule_record
tests_unit_test_rule_record_SOURCES = tests/unit/test_rule_record.c tests/unit/rule_random.h \
	tests/unit/rule_facts.h
tests_unit_test_rule_record_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_rule_calendar tests/unit/test_rule_schedule tests/unit/test_rule_expr \
	tests/unit/test_rule_event tests/unit/test_rule_set \
	tests/unit/test_rule_template tests/unit/test_rule_fuzz
tests_unit_test_rule_schedule_SOURCES = tests/unit/test_rule_schedule.c
tests_unit_test_rule_schedule_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_rule_broadcast
tests_unit_test_rule_broadcast_SOURCES = tests/unit/test_rule_broadcast.c
tests_unit_test_rule_broadcast_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_quiet
tests_unit_test_quiet_SOURCES = tests/unit/test_quiet.c
tests_unit_test_quiet_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rule_calendar_SOURCES = tests/unit/test_rule_calendar.c
tests_unit_test_rule_calendar_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rule_expr_SOURCES = tests/unit/test_rule_expr.c tests/unit/rule_facts.h
tests_unit_test_rule_expr_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_rule_lint
tests_unit_test_rule_lint_SOURCES = tests/unit/test_rule_lint.c tests/unit/rule_facts.h
tests_unit_test_rule_lint_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
unit_tests += tests/unit/test_rule_time
tests_unit_test_rule_time_SOURCES = tests/unit/test_rule_time.c tests/unit/rule_facts.h
tests_unit_test_rule_time_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rule_event_SOURCES = tests/unit/test_rule_event.c tests/unit/rule_facts.h
tests_unit_test_rule_event_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rule_set_SOURCES = tests/unit/test_rule_set.c tests/unit/rule_facts.h
tests_unit_test_rule_set_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rule_template_SOURCES = tests/unit/test_rule_template.c tests/unit/rule_facts.h
tests_unit_test_rule_template_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_rule_fuzz_SOURCES = tests/unit/test_rule_fuzz.c tests/unit/rule_facts.h \
	tests/fuzz/fuzz_expr.c tests/fuzz/expr_seeds.h
tests_unit_test_rule_fuzz_LDADD = $(RULE_LIBS) $(BASE_LIBS) $(CMOCKA_LIBS)
endif
