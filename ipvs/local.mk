# programs and unit tests of ipvs/
# The part without sockets, also linked by the unit tests and the fuzz target.
noinst_LIBRARIES += ipvs/libipvscore.a
ipvs_libipvscore_a_SOURCES = ipvs/ipvs_tally.c ipvs/ipvs_tally.h ipvs/ipvs_image.c ipvs/ipvs_image.h ipvs/ipvs_plan.c ipvs/ipvs_plan.h \
	ipvs/ipvs_weight.c ipvs/ipvs_weight.h ipvs/ipvs_quorum.c ipvs/ipvs_quorum.h \
	ipvs/ipvs_drain.c ipvs/ipvs_drain.h ipvs/ipvs_codec.c ipvs/ipvs_codec.h \
	ipvs/ipvs_error.c ipvs/ipvs_error.h ipvs/ipvs_desired.c ipvs/ipvs_desired.h \
	ipvs/ipvs_owned.c ipvs/ipvs_owned.h ipvs/ipvs_owned_table.c ipvs/ipvs_owned_table.h ipvs/ipvs_conn.c ipvs/ipvs_conn.h \
	ipvs/ipvs_sync_message.c ipvs/ipvs_sync_message.h ipvs/ipvs_scan.c ipvs/ipvs_scan.h \
	ipvs/ipvs_sender.c ipvs/ipvs_sender.h ipvs/ipvs_window.c ipvs/ipvs_window.h \
	ipvs/ipvs_resync_plan.c ipvs/ipvs_resync_plan.h ipvs/ipvs_recall.c ipvs/ipvs_recall.h \
	ipvs/ipvs_contradict.c ipvs/ipvs_contradict.h ipvs/ipvs_guard.c ipvs/ipvs_guard.h
ipvs_libipvscore_a_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)

pkglibexec_PROGRAMS += ipvs/poise-ipvs
ipvs_poise_ipvs_SOURCES = ipvs/ipvs_process.c ipvs/ipvs_process.h ipvs/ipvs_state.c ipvs/ipvs_reconcile.c \
	ipvs/ipvs_audit.c ipvs/ipvs_follow.c ipvs/ipvs_leftover.c ipvs/ipvs_report.c ipvs/ipvs_sync.c ipvs/ipvs_resync.c ipvs/ipvs_remember.c ipvs/ipvs_cut.c ipvs/ipvs_release.c \
	ipvs/ipvs_place.c ipvs/ipvs_sysctl.c ipvs/ipvs_firewall.c ipvs/ipvs_firewall.h ipvs/ipvs_protect.c ipvs/ipvs_nft.c ipvs/ipvs_nft.h ipvs/ipvs_nft_draft.h \
	ipvs/ipvs_nft_rule.c ipvs/ipvs_nft_socket.c \
	ipvs/ipvs_netlink.c ipvs/ipvs_netlink.h
ipvs_poise_ipvs_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(NFT_CFLAGS)
ipvs_poise_ipvs_LDADD = ipvs/libipvscore.a lib/libpoisenl.a $(ROLE_LIBS) $(NL_LIBS) $(NFT_LIBS)

check_PROGRAMS += tests/unit/check_ipvs_guard
tests_unit_check_ipvs_guard_SOURCES = tests/unit/check_ipvs_guard.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_ipvs_guard_CFLAGS = $(IPVS_CHECK_CFLAGS) -I$(top_srcdir)/daemon/config
tests_unit_check_ipvs_guard_LDADD = ipvs/libipvscore.a daemon/config/libconfig.a lib/libpoise.a $(NL_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_ipvs_plan tests/unit/check_ipvs_decide tests/unit/check_ipvs_codec \
	tests/unit/check_ipvs_desired tests/unit/check_ipvs_sync tests/unit/check_ipvs_window tests/unit/check_ipvs_recall tests/fuzz/seeds_ipvs_dump tests/fuzz/seeds_ipvs_conn
IPVS_CHECK_LIBS = ipvs/libipvscore.a lib/libpoise.a $(NL_LIBS) $(CHECK_LIBS)
IPVS_CHECK_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/ipvs
tests_unit_check_ipvs_plan_SOURCES = tests/unit/check_ipvs_plan.c
tests_unit_check_ipvs_plan_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_plan_LDADD = $(IPVS_CHECK_LIBS)
tests_unit_check_ipvs_decide_SOURCES = tests/unit/check_ipvs_decide.c
tests_unit_check_ipvs_decide_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_decide_LDADD = $(IPVS_CHECK_LIBS)
tests_unit_check_ipvs_codec_SOURCES = tests/unit/check_ipvs_codec.c
tests_unit_check_ipvs_codec_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_codec_LDADD = $(IPVS_CHECK_LIBS)
tests_unit_check_ipvs_desired_SOURCES = tests/unit/check_ipvs_desired.c
tests_unit_check_ipvs_desired_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_desired_LDADD = $(IPVS_CHECK_LIBS)
tests_unit_check_ipvs_sync_SOURCES = tests/unit/check_ipvs_sync.c
tests_unit_check_ipvs_sync_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_sync_LDADD = $(IPVS_CHECK_LIBS)
tests_unit_check_ipvs_recall_SOURCES = tests/unit/check_ipvs_recall.c
tests_unit_check_ipvs_recall_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_recall_LDADD = $(IPVS_CHECK_LIBS)
tests_unit_check_ipvs_window_SOURCES = tests/unit/check_ipvs_window.c
tests_unit_check_ipvs_window_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_unit_check_ipvs_window_LDADD = $(IPVS_CHECK_LIBS)

# The fuzz target over its seeds; with --enable-fuzzers (CC=clang) also as a program that looks for more.
tests_fuzz_seeds_ipvs_dump_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_ipvs_dump.c
tests_fuzz_seeds_ipvs_dump_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_fuzz_seeds_ipvs_dump_LDADD = ipvs/libipvscore.a lib/libpoise.a $(NL_LIBS)
tests_fuzz_seeds_ipvs_conn_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_ipvs_conn.c
tests_fuzz_seeds_ipvs_conn_CFLAGS = $(IPVS_CHECK_CFLAGS)
tests_fuzz_seeds_ipvs_conn_LDADD = ipvs/libipvscore.a lib/libpoise.a
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_ipvs_dump
tests_fuzz_fuzz_ipvs_dump_SOURCES = tests/fuzz/fuzz_ipvs_dump.c ipvs/ipvs_codec.c ipvs/ipvs_image.c ipvs/ipvs_tally.c
tests_fuzz_fuzz_ipvs_dump_CFLAGS = $(IPVS_CHECK_CFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_ipvs_dump_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_ipvs_dump_LDADD = lib/libpoise.a $(NL_LIBS)
noinst_PROGRAMS += tests/fuzz/fuzz_ipvs_conn
tests_fuzz_fuzz_ipvs_conn_SOURCES = tests/fuzz/fuzz_ipvs_conn.c ipvs/ipvs_conn.c ipvs/ipvs_image.c ipvs/ipvs_tally.c \
	ipvs/ipvs_sync_message.c
tests_fuzz_fuzz_ipvs_conn_CFLAGS = $(IPVS_CHECK_CFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_ipvs_conn_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_ipvs_conn_LDADD = lib/libpoise.a
endif

# A tool of the lab: random tables against the real kernel (tests/lab/test_ipvs_kernel.py).
noinst_PROGRAMS += tests/lab/ipvs_pairs tests/lab/ipvs_refusals
tests_lab_ipvs_pairs_SOURCES = tests/lab/ipvs_pairs.c ipvs/ipvs_netlink.c
tests_lab_ipvs_pairs_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) -I$(top_srcdir)/ipvs
tests_lab_ipvs_pairs_LDADD = ipvs/libipvscore.a lib/libpoisenl.a lib/libpoise.a $(NL_LIBS)
tests_lab_ipvs_refusals_SOURCES = tests/lab/ipvs_refusals.c ipvs/ipvs_netlink.c
tests_lab_ipvs_refusals_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) -I$(top_srcdir)/ipvs
tests_lab_ipvs_refusals_LDADD = ipvs/libipvscore.a lib/libpoisenl.a lib/libpoise.a $(NL_LIBS)
