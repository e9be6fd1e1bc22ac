# what is shipped from here
# the key sections of the two in section 5 come from config_help_*(); a unit test compares them
dist_man_MANS = %D%/man/leadctl.1 %D%/man/leadd.8 %D%/man/leadd.conf.5 %D%/man/leadd-rules.5

bashcompdir = $(datadir)/bash-completion/completions
install-data-local: install-completion
install-completion:
	$(MKDIR_P) '$(DESTDIR)$(bashcompdir)'
	$(INSTALL_DATA) $(srcdir)/%D%/leadctl.bash '$(DESTDIR)$(bashcompdir)/leadctl'
uninstall-local: uninstall-completion
uninstall-completion:
	rm -f '$(DESTDIR)$(bashcompdir)/leadctl'
EXTRA_DIST += %D%/leadctl.bash
EXTRA_DIST += %D%/demo %D%/dev %D%/packages.build %D%/packages.test %D%/packages.bench
