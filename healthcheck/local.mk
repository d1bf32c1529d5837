# programs and unit tests of healthcheck/
noinst_LIBRARIES += healthcheck/libhealth.a
healthcheck_libhealth_a_SOURCES = healthcheck/reason.c healthcheck/reason.h healthcheck/check_verdict.c \
	healthcheck/check_verdict.h healthcheck/check_schedule.c healthcheck/check_schedule.h \
	healthcheck/check_match.c healthcheck/check_match.h healthcheck/http_match.c healthcheck/http_match.h \
	healthcheck/http_request.c healthcheck/http_request.h healthcheck/body_match.c healthcheck/body_match.h \
	healthcheck/conn.c healthcheck/conn.h healthcheck/tls.c healthcheck/tls.h healthcheck/poller.c \
	healthcheck/poller.h healthcheck/linger.c healthcheck/linger.h healthcheck/probe.c healthcheck/probe.h \
	healthcheck/probe_tcp.c healthcheck/probe_http.c healthcheck/check_set.c healthcheck/check_set.h \
	healthcheck/checker.c healthcheck/checker.h
healthcheck_libhealth_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) $(PCRE2_CFLAGS)
HEALTH_LIBS = healthcheck/libhealth.a $(ROLE_LIBS) $(OPENSSL_LIBS) $(PCRE2_LIBS)

pkglibexec_PROGRAMS += healthcheck/poise-healthcheck
healthcheck_poise_healthcheck_SOURCES = healthcheck/health_process.c healthcheck/health_report.c \
	healthcheck/health_report.h
healthcheck_poise_healthcheck_LDADD = $(HEALTH_LIBS)
