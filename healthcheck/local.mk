# programs and unit tests of healthcheck/
noinst_LIBRARIES += healthcheck/libhealth.a
healthcheck_libhealth_a_SOURCES = healthcheck/reason.c healthcheck/reason.h healthcheck/check_verdict.c \
	healthcheck/check_verdict.h healthcheck/check_schedule.c healthcheck/check_schedule.h \
	healthcheck/check_match.c healthcheck/check_match.h healthcheck/http_match.c healthcheck/http_match.h \
	healthcheck/http_request.c healthcheck/http_request.h healthcheck/body_match.c healthcheck/body_match.h \
	healthcheck/conn.c healthcheck/conn.h healthcheck/tls.c healthcheck/tls.h healthcheck/poller.c \
	healthcheck/poller.h healthcheck/linger.c healthcheck/linger.h healthcheck/probe.c healthcheck/probe.h \
	healthcheck/probe_tcp.c healthcheck/probe_http.c healthcheck/probe_tls.c healthcheck/probe_text.c \
	healthcheck/probe_udp.c healthcheck/probe_ping.c healthcheck/probe_file.c healthcheck/probe_grpc.c \
	healthcheck/ping.c healthcheck/ping.h healthcheck/ping_packet.c healthcheck/dns_packet.c \
	healthcheck/dns_packet.h healthcheck/reply.c healthcheck/reply.h healthcheck/talk.c healthcheck/talk.h \
	healthcheck/grpc_message.c healthcheck/grpc_message.h \
	healthcheck/grpc_call.c healthcheck/grpc_call.h healthcheck/regex.c healthcheck/regex.h healthcheck/tls_profile.c healthcheck/tls_profile.h \
	healthcheck/tls_trust.c healthcheck/tls_trust.h \
	healthcheck/check_set.c healthcheck/check_set.h healthcheck/check_judge.c healthcheck/check_share.c \
	healthcheck/check_share.h healthcheck/check_result.c healthcheck/check_result.h healthcheck/check_flap.c \
	healthcheck/check_memory.c healthcheck/check_memory.h healthcheck/check_passive.c healthcheck/check_passive.h \
	healthcheck/check_flap.h healthcheck/check_pool.c healthcheck/check_pool.h healthcheck/lateness.c \
	healthcheck/lateness.h healthcheck/checker.c healthcheck/checker.h
healthcheck_libhealth_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) $(PCRE2_CFLAGS)
HEALTH_LIBS = healthcheck/libhealth.a $(ROLE_LIBS) $(OPENSSL_LIBS) $(PCRE2_LIBS) $(NGHTTP2_LIBS)

pkglibexec_PROGRAMS += healthcheck/poise-healthcheck
healthcheck_poise_healthcheck_SOURCES = healthcheck/health_process.c healthcheck/health_report.c \
	healthcheck/health_report.h healthcheck/health_watch.c healthcheck/health_watch.h healthcheck/health_bfd.c healthcheck/health_bfd.h healthcheck/health_misc.c \
	healthcheck/health_misc.h
healthcheck_poise_healthcheck_LDADD = $(HEALTH_LIBS)

HEALTH_CHECK_CFLAGS = $(AM_CFLAGS) -I$(srcdir)/healthcheck $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
HEALTH_CHECK_LIBS = $(HEALTH_LIBS) $(CHECK_LIBS)
HEALTH_FIXTURE = tests/unit/health_fixture.c tests/unit/health_fixture.h
check_PROGRAMS += tests/unit/check_health_verdict tests/unit/check_health_schedule tests/unit/check_http_match tests/unit/check_health_talk
tests_unit_check_health_verdict_SOURCES = tests/unit/check_health_verdict.c
tests_unit_check_health_verdict_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_unit_check_health_verdict_LDADD = $(HEALTH_CHECK_LIBS)
tests_unit_check_health_schedule_SOURCES = tests/unit/check_health_schedule.c
tests_unit_check_health_schedule_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_unit_check_health_schedule_LDADD = $(HEALTH_CHECK_LIBS)
tests_unit_check_health_talk_SOURCES = tests/unit/check_health_talk.c
tests_unit_check_health_talk_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_unit_check_health_talk_LDADD = $(HEALTH_CHECK_LIBS)
tests_unit_check_http_match_SOURCES = tests/unit/check_http_match.c
tests_unit_check_http_match_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_unit_check_http_match_LDADD = $(HEALTH_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_health_probe tests/unit/check_health_life tests/unit/check_health_spread
tests_unit_check_health_spread_SOURCES = tests/unit/check_health_spread.c $(HEALTH_FIXTURE)
tests_unit_check_health_spread_CFLAGS = $(HEALTH_CHECK_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_check_health_spread_LDADD = $(HEALTH_CHECK_LIBS)
tests_unit_check_health_life_SOURCES = tests/unit/check_health_life.c $(HEALTH_FIXTURE)
tests_unit_check_health_life_CFLAGS = $(HEALTH_CHECK_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_check_health_life_LDADD = $(HEALTH_CHECK_LIBS)
tests_unit_check_health_probe_SOURCES = tests/unit/check_health_probe.c $(HEALTH_FIXTURE)
tests_unit_check_health_probe_CFLAGS = $(HEALTH_CHECK_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_check_health_probe_LDADD = $(HEALTH_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_health_judge
tests_unit_check_health_judge_SOURCES = tests/unit/check_health_judge.c $(HEALTH_FIXTURE)
tests_unit_check_health_judge_CFLAGS = $(HEALTH_CHECK_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_check_health_judge_LDADD = $(HEALTH_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_health_pool
tests_unit_check_health_pool_SOURCES = tests/unit/check_health_pool.c
tests_unit_check_health_pool_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_unit_check_health_pool_LDADD = $(HEALTH_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_health_tls tests/unit/check_health_match
tests_unit_check_health_tls_SOURCES = tests/unit/check_health_tls.c $(HEALTH_FIXTURE)
tests_unit_check_health_tls_CFLAGS = $(HEALTH_CHECK_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_check_health_tls_LDADD = $(HEALTH_CHECK_LIBS)
tests_unit_check_health_match_SOURCES = tests/unit/check_health_match.c $(HEALTH_FIXTURE)
tests_unit_check_health_match_CFLAGS = $(HEALTH_CHECK_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_check_health_match_LDADD = $(HEALTH_CHECK_LIBS)

check_PROGRAMS += tests/fuzz/seeds_http_match
tests_fuzz_seeds_http_match_SOURCES = tests/fuzz/fuzz_http_match.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_http_match_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_seeds_http_match_LDADD = $(HEALTH_LIBS)
check_PROGRAMS += tests/fuzz/seeds_dns_reply tests/fuzz/seeds_text_reply tests/fuzz/seeds_grpc_call \
	tests/fuzz/seeds_ping_packet tests/fuzz/seeds_tls_peer
tests_fuzz_seeds_dns_reply_SOURCES = tests/fuzz/fuzz_dns_reply.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_dns_reply_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_seeds_dns_reply_LDADD = $(HEALTH_LIBS)
tests_fuzz_seeds_text_reply_SOURCES = tests/fuzz/fuzz_text_reply.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_text_reply_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_seeds_text_reply_LDADD = $(HEALTH_LIBS)
tests_fuzz_seeds_grpc_call_SOURCES = tests/fuzz/fuzz_grpc_call.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_grpc_call_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_seeds_grpc_call_LDADD = $(HEALTH_LIBS)
tests_fuzz_seeds_ping_packet_SOURCES = tests/fuzz/fuzz_ping_packet.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_ping_packet_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_seeds_ping_packet_LDADD = $(HEALTH_LIBS)
tests_fuzz_seeds_tls_peer_SOURCES = tests/fuzz/fuzz_tls_peer.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_tls_peer_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_seeds_tls_peer_LDADD = $(HEALTH_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_http_match
tests_fuzz_fuzz_http_match_SOURCES = tests/fuzz/fuzz_http_match.c
tests_fuzz_fuzz_http_match_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_fuzz_http_match_LDADD = $(HEALTH_LIBS)
tests_fuzz_fuzz_http_match_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_dns_reply tests/fuzz/fuzz_text_reply tests/fuzz/fuzz_grpc_call \
	tests/fuzz/fuzz_ping_packet tests/fuzz/fuzz_tls_peer
tests_fuzz_fuzz_dns_reply_SOURCES = tests/fuzz/fuzz_dns_reply.c
tests_fuzz_fuzz_dns_reply_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_fuzz_dns_reply_LDADD = $(HEALTH_LIBS)
tests_fuzz_fuzz_dns_reply_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_text_reply_SOURCES = tests/fuzz/fuzz_text_reply.c
tests_fuzz_fuzz_text_reply_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_fuzz_text_reply_LDADD = $(HEALTH_LIBS)
tests_fuzz_fuzz_text_reply_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_grpc_call_SOURCES = tests/fuzz/fuzz_grpc_call.c
tests_fuzz_fuzz_grpc_call_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_fuzz_grpc_call_LDADD = $(HEALTH_LIBS)
tests_fuzz_fuzz_grpc_call_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ping_packet_SOURCES = tests/fuzz/fuzz_ping_packet.c
tests_fuzz_fuzz_ping_packet_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_fuzz_ping_packet_LDADD = $(HEALTH_LIBS)
tests_fuzz_fuzz_ping_packet_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_tls_peer_SOURCES = tests/fuzz/fuzz_tls_peer.c
tests_fuzz_fuzz_tls_peer_CFLAGS = $(HEALTH_CHECK_CFLAGS)
tests_fuzz_fuzz_tls_peer_LDADD = $(HEALTH_LIBS)
tests_fuzz_fuzz_tls_peer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
