# Units and the users they need. The files carry the paths of this build.
systemdsystemunit_DATA = systemd/leadd.service systemd/leadd-backup.service \
	$(srcdir)/systemd/leadd-backup.timer
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d

systemd_made = systemd/leadd.service systemd/leadd-backup.service systemd/leadd.sysusers systemd/leadd.tmpfiles
systemd_sed = sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g' -e 's|@statedir[@]|$(localstatedir)/lib/leadd|g'

$(systemd_made): Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(systemd_sed) $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
systemd/leadd.service: $(srcdir)/systemd/leadd.service.in
systemd/leadd-backup.service: $(srcdir)/systemd/leadd-backup.service.in
systemd/leadd.sysusers: $(srcdir)/systemd/leadd.sysusers.in
systemd/leadd.tmpfiles: $(srcdir)/systemd/leadd.tmpfiles.in

all-local: $(systemd_made)

# both folders take files by the name of the package
install-data-local: install-systemd
uninstall-local: uninstall-systemd
install-systemd: $(systemd_made)
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	$(INSTALL_DATA) systemd/leadd.sysusers '$(DESTDIR)$(sysusersdir)/leadd.conf'
	$(INSTALL_DATA) systemd/leadd.tmpfiles '$(DESTDIR)$(tmpfilesdir)/leadd.conf'
uninstall-systemd:
	rm -f '$(DESTDIR)$(sysusersdir)/leadd.conf' '$(DESTDIR)$(tmpfilesdir)/leadd.conf'
.PHONY: install-systemd uninstall-systemd

CLEANFILES += $(systemd_made)
EXTRA_DIST += %D%/leadd.service.in %D%/leadd-backup.service.in %D%/leadd-backup.timer %D%/leadd.sysusers.in %D%/leadd.tmpfiles.in
