sbin_PROGRAMS += daemon/leadd
daemon_leadd_SOURCES = %D%/leadd.c
daemon_leadd_LDADD = daemon/web/libweb.a $(BASE_LIBS)
