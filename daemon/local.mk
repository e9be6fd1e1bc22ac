sbin_PROGRAMS += daemon/leadd
daemon_leadd_SOURCES = %D%/leadd.c
daemon_leadd_LDADD = daemon/intake/libintake.a daemon/web/libweb.a $(BASE_LIBS) \
	$(CURL_LIBS) $(ETPAN_LIBS)
