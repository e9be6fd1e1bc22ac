# what is shipped from here
dist_man_MANS = %D%/man/leadctl.1 %D%/man/leadd.8 %D%/man/leadd.conf.5 %D%/man/leadd-rules.5 \
	%D%/man/leadd-commands.7

# presets of sources, for presets_dir
presetsourcesdir = $(pkgdatadir)/sources
dist_presetsources_DATA = %D%/sources/aircall.conf %D%/sources/calendly.conf %D%/sources/crisp.conf %D%/sources/generic-lead.conf \
	%D%/sources/github.conf %D%/sources/google-ads.conf %D%/sources/intercom.conf %D%/sources/mailgun.conf \
	%D%/sources/meta-leads.conf %D%/sources/page-visits.conf %D%/sources/shopify.conf %D%/sources/stripe.conf \
	%D%/sources/tawk.conf %D%/sources/twilio-voice.conf %D%/sources/typeform.conf %D%/sources/woocommerce.conf

# The tables in the pages of section 5 and 7 are made from those of the program: `make man-tables`
# writes them, and a test fails when they are behind.
check_PROGRAMS += contrib/man/tables
contrib_man_tables_SOURCES = %D%/man/tables.c
contrib_man_tables_LDADD = $(CRM_LIBS) $(MAIL_LIBS) $(STORE_LIBS) $(RULE_LIBS) $(CONFIG_ROOM_LIBS) \
	$(BASE_LIBS)
man-tables: contrib/man/tables
	contrib/man/tables $(srcdir)/contrib/man/leadd.conf.5 $(srcdir)/contrib/man/leadd-rules.5 \
	$(srcdir)/contrib/man/leadd-commands.7
.PHONY: man-tables

bashcompdir = $(datadir)/bash-completion/completions
install-data-local: install-completion
install-completion:
	$(MKDIR_P) '$(DESTDIR)$(bashcompdir)'
	$(INSTALL_DATA) $(srcdir)/%D%/leadctl.bash '$(DESTDIR)$(bashcompdir)/leadctl'
uninstall-local: uninstall-completion
uninstall-completion:
	rm -f '$(DESTDIR)$(bashcompdir)/leadctl'
EXTRA_DIST += %D%/leadctl.bash
EXTRA_DIST += %D%/scoring/score.py
EXTRA_DIST += %D%/demo %D%/dev %D%/packages.build %D%/packages.test %D%/packages.bench

gatewaysdir = $(pkgdatadir)/gateways
dist_gateways_DATA = %D%/gateways/bird.conf %D%/gateways/email.conf %D%/gateways/generic.conf %D%/gateways/kannel.conf %D%/gateways/plivo.conf %D%/gateways/sinch.conf %D%/gateways/smstools.conf %D%/gateways/telnyx.conf %D%/gateways/twilio.conf %D%/gateways/vonage.conf
dist_gateways_SCRIPTS = %D%/gateways/smstools.sh
