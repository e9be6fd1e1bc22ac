sbin_PROGRAMS += daemon/leadd
daemon_leadd_SOURCES = %D%/leadd.c
daemon_leadd_LDADD = $(BASE_LIBS)
