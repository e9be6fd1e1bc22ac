# `make check` builds the unit tests and hands everything to tests/run, which
# counts what passed.
check_PROGRAMS += $(unit_tests)

check-local: $(check_PROGRAMS)
	srcdir='$(abs_srcdir)' builddir='$(abs_builddir)' $(srcdir)/tests/run $(unit_tests)

EXTRA_DIST += tests/run tests/lint
