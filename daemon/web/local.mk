noinst_LIBRARIES += daemon/web/libweb.a
daemon_web_libweb_a_SOURCES = \
	%D%/form.c %D%/form.h %D%/form_check.c %D%/multipart.c \
	%D%/http.c %D%/http.h %D%/metrics.c %D%/metrics.h %D%/rate.c %D%/rate.h \
	%D%/web.c %D%/web.h %D%/web_form.c %D%/web_in.c %D%/web_in.h %D%/web_ui.c
