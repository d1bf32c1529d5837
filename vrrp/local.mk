# programs and unit tests of vrrp/
# The pure part: decisions and codecs, also linked by the unit tests, the model, the replay and the fuzz target.
noinst_LIBRARIES += vrrp/libvrrpcore.a
vrrp_libvrrpcore_a_SOURCES = vrrp/vrrp_fsm.c vrrp/vrrp_fsm.h vrrp/vrrp_step.c vrrp/vrrp_step.h vrrp/vrrp_stall.c vrrp/vrrp_leave.c \
	vrrp/vrrp_why.c vrrp/vrrp_group.c vrrp/vrrp_group.h vrrp/vrrp_priority.c vrrp/vrrp_priority.h vrrp/vrrp_hold.c vrrp/vrrp_hold.h vrrp/vrrp_split.c vrrp/vrrp_split.h vrrp/vrrp_heard.c vrrp/vrrp_heard.h vrrp/vrrp_announce.c vrrp/vrrp_announce.h \
	vrrp/vrrp_packet.c vrrp/vrrp_packet.h vrrp/vrrp_encode.c vrrp/vrrp_drop.c vrrp/vrrp_checksum.h \
	vrrp/bfd_packet.c vrrp/bfd_packet.h vrrp/bfd_fsm.c vrrp/bfd_fsm.h \
	vrrp/vrrp_auth.c vrrp/vrrp_auth.h vrrp/vrrp_hmac.c vrrp/vrrp_hmac.h vrrp/vrrp_digest.c vrrp/vrrp_digest.h

# What the process knows of interfaces and addresses, also linked by its unit tests.
noinst_LIBRARIES += vrrp/libvrrpnet.a
vrrp_libvrrpnet_a_SOURCES = vrrp/vrrp_link.c vrrp/vrrp_link.h vrrp/vrrp_damp.c vrrp/vrrp_damp.h vrrp/vrrp_plan.c vrrp/vrrp_plan.h \
	vrrp/vrrp_map.c vrrp/vrrp_map.h vrrp/vrrp_monitor.c vrrp/vrrp_monitor.h vrrp/vrrp_address.c vrrp/vrrp_address.h \
	vrrp/vrrp_courier.c vrrp/vrrp_courier.h vrrp/vrrp_file.c vrrp/vrrp_file.h vrrp/vrrp_heart.c vrrp/vrrp_heart.h \
	vrrp/vrrp_route.c vrrp/vrrp_route.h vrrp/vrrp_encap.c vrrp/vrrp_encap.h vrrp/vrrp_vmac.c vrrp/vrrp_vmac.h vrrp/vrrp_pave.c vrrp/vrrp_pave.h vrrp/vrrp_ear.c vrrp/vrrp_ear.h \
	vrrp/vrrp_track.c vrrp/vrrp_track.h vrrp/vrrp_firewall.c vrrp/vrrp_firewall.h vrrp/vrrp_quiet.c vrrp/vrrp_quiet.h
vrrp_libvrrpnet_a_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(NFT_CFLAGS)

pkglibexec_PROGRAMS += vrrp/poise-vrrp
vrrp_poise_vrrp_SOURCES = vrrp/bfd_speaker.c vrrp/bfd_speaker.h vrrp/vrrp_process.c vrrp/vrrp_process.h vrrp/vrrp_set.c vrrp/vrrp_instance.c vrrp/vrrp_facts.c \
	vrrp/vrrp_ledger.c vrrp/vrrp_ledger.h vrrp/vrrp_protect.c vrrp/vrrp_receive.c vrrp/vrrp_record.c vrrp/vrrp_handover.c vrrp/vrrp_report.c vrrp/vrrp_culprit.c vrrp/vrrp_culprit.h vrrp/vrrp_release.c vrrp/vrrp_socket.c vrrp/vrrp_socket.h
vrrp_poise_vrrp_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
vrrp_poise_vrrp_LDADD = vrrp/libvrrpnet.a vrrp/libvrrpcore.a lib/libpoisenl.a $(ROLE_LIBS) $(NL_LIBS) $(NFT_LIBS)

# Unit tests of the pure part.
VRRP_CHECK_LDADD = vrrp/libvrrpcore.a lib/libpoise.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_vrrp_fsm tests/unit/check_vrrp_group tests/unit/check_vrrp_priority tests/unit/check_vrrp_announce \
	tests/unit/check_vrrp_auth tests/unit/check_vrrp_hmac tests/unit/check_vrrp_packet tests/unit/check_vrrp_split
check_PROGRAMS += tests/unit/check_vrrp_bfd
tests_unit_check_vrrp_bfd_SOURCES = tests/unit/check_vrrp_bfd.c
tests_unit_check_vrrp_bfd_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_bfd_LDADD = $(VRRP_CHECK_LDADD)
check_PROGRAMS += tests/unit/check_vrrp_heard
tests_unit_check_vrrp_heard_SOURCES = tests/unit/check_vrrp_heard.c
tests_unit_check_vrrp_heard_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_heard_LDADD = $(VRRP_CHECK_LDADD)
check_PROGRAMS += tests/unit/check_vrrp_hold tests/unit/check_vrrp_heart tests/unit/check_vrrp_quiet
tests_unit_check_vrrp_quiet_SOURCES = tests/unit/check_vrrp_quiet.c
tests_unit_check_vrrp_quiet_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_quiet_LDADD = vrrp/libvrrpnet.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_vrrp_heart_SOURCES = tests/unit/check_vrrp_heart.c tests/unit/vrrp_fixture.h
tests_unit_check_vrrp_heart_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/vrrp
tests_unit_check_vrrp_heart_LDADD = vrrp/libvrrpnet.a $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_hold_SOURCES = tests/unit/check_vrrp_hold.c tests/unit/vrrp_fixture.h
tests_unit_check_vrrp_hold_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/vrrp
tests_unit_check_vrrp_hold_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_split_SOURCES = tests/unit/check_vrrp_split.c
tests_unit_check_vrrp_split_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_split_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_fsm_SOURCES = tests/unit/check_vrrp_fsm.c tests/unit/vrrp_fixture.h
tests_unit_check_vrrp_fsm_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_fsm_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_group_SOURCES = tests/unit/check_vrrp_group.c tests/unit/vrrp_fixture.h
tests_unit_check_vrrp_group_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_group_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_priority_SOURCES = tests/unit/check_vrrp_priority.c tests/unit/vrrp_fixture.h
tests_unit_check_vrrp_priority_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_priority_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_announce_SOURCES = tests/unit/check_vrrp_announce.c tests/unit/vrrp_fixture.h tests/unit/vrrp_frames.h
tests_unit_check_vrrp_announce_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_announce_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_auth_SOURCES = tests/unit/check_vrrp_auth.c tests/unit/vrrp_fixture.h
tests_unit_check_vrrp_auth_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_auth_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_hmac_SOURCES = tests/unit/check_vrrp_hmac.c tests/unit/vrrp_fixture.h tests/unit/vrrp_frames.h
tests_unit_check_vrrp_hmac_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_hmac_LDADD = $(VRRP_CHECK_LDADD)
tests_unit_check_vrrp_packet_SOURCES = tests/unit/check_vrrp_packet.c tests/unit/vrrp_fixture.h tests/unit/vrrp_frames.h
tests_unit_check_vrrp_packet_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_packet_LDADD = $(VRRP_CHECK_LDADD)

check_PROGRAMS += tests/unit/check_vrrp_link tests/unit/check_vrrp_plan tests/unit/check_vrrp_address \
	tests/unit/check_vrrp_track tests/fuzz/seeds_vrrp_link
VRRP_NET_TEST_LDADD = vrrp/libvrrpnet.a lib/libpoisenl.a lib/libpoise.a $(NL_LIBS) $(CHECK_LIBS)
tests_unit_check_vrrp_link_SOURCES = tests/unit/check_vrrp_link.c
tests_unit_check_vrrp_link_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_link_LDADD = $(VRRP_NET_TEST_LDADD)
tests_unit_check_vrrp_plan_SOURCES = tests/unit/check_vrrp_plan.c
tests_unit_check_vrrp_plan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_plan_LDADD = $(VRRP_NET_TEST_LDADD)
tests_unit_check_vrrp_address_SOURCES = tests/unit/check_vrrp_address.c
tests_unit_check_vrrp_address_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_address_LDADD = $(VRRP_NET_TEST_LDADD)

# Every state of small worlds, and recorded events with what must come of them.
check_PROGRAMS += tests/model/vrrp_model tests/replay/vrrp_replay
tests_model_vrrp_model_SOURCES = tests/model/vrrp_model.c tests/model/vrrp_world.c tests/model/vrrp_world.h \
	tests/model/scenarios.h
tests_model_vrrp_model_LDADD = vrrp/libvrrpcore.a lib/libpoise.a
tests_replay_vrrp_replay_SOURCES = tests/replay/vrrp_replay.c
tests_replay_vrrp_replay_LDADD = vrrp/libvrrpcore.a lib/libpoise.a
EXTRA_DIST += tests/replay/crash.replay tests/replay/crash_interval.replay tests/replay/faults.replay tests/replay/group.replay \
	tests/replay/give_away.replay tests/replay/give_away_group.replay tests/replay/leave.replay \
	tests/replay/leave_alone.replay tests/replay/handover.replay tests/replay/hold.replay tests/replay/preemption.replay tests/replay/quiet.replay tests/replay/reload.replay tests/replay/split.replay

# The fuzz target over its seeds; with --enable-fuzzers (CC=clang) also as a program that looks for more.
check_PROGRAMS += tests/fuzz/seeds_vrrp_packet
tests_fuzz_seeds_vrrp_packet_SOURCES = tests/fuzz/fuzz_vrrp_packet.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_vrrp_packet_LDADD = vrrp/libvrrpcore.a lib/libpoise.a
check_PROGRAMS += tests/fuzz/seeds_bfd_packet
tests_fuzz_seeds_bfd_packet_SOURCES = tests/fuzz/fuzz_bfd_packet.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_bfd_packet_LDADD = vrrp/libvrrpcore.a lib/libpoise.a
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_bfd_packet
tests_fuzz_fuzz_bfd_packet_SOURCES = tests/fuzz/fuzz_bfd_packet.c vrrp/bfd_packet.c vrrp/bfd_fsm.c lib/addr.c
tests_fuzz_fuzz_bfd_packet_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_bfd_packet_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
noinst_PROGRAMS += tests/fuzz/fuzz_vrrp_packet
tests_fuzz_fuzz_vrrp_packet_SOURCES = tests/fuzz/fuzz_vrrp_packet.c vrrp/vrrp_packet.c vrrp/vrrp_encode.c \
	vrrp/vrrp_auth.c vrrp/vrrp_hmac.c vrrp/vrrp_digest.c lib/addr.c
tests_fuzz_fuzz_vrrp_packet_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_vrrp_packet_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
endif
tests_unit_check_vrrp_track_SOURCES = tests/unit/check_vrrp_track.c
tests_unit_check_vrrp_track_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_track_LDADD = vrrp/libvrrpnet.a vrrp/libvrrpcore.a lib/libpoisenl.a lib/libpoise.a $(NL_LIBS) \
	$(NFT_LIBS) $(CHECK_LIBS)

tests_fuzz_seeds_vrrp_link_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_vrrp_link.c
tests_fuzz_seeds_vrrp_link_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_fuzz_seeds_vrrp_link_LDADD = vrrp/libvrrpnet.a lib/libpoise.a $(NL_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_vrrp_link
tests_fuzz_fuzz_vrrp_link_SOURCES = tests/fuzz/fuzz_vrrp_link.c vrrp/vrrp_link.c
tests_fuzz_fuzz_vrrp_link_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_vrrp_link_LDADD = lib/libpoise.a $(NL_LIBS)
tests_fuzz_fuzz_vrrp_link_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

check_PROGRAMS += tests/unit/check_vrrp_route tests/fuzz/seeds_vrrp_route
tests_unit_check_vrrp_route_SOURCES = tests/unit/check_vrrp_route.c
tests_unit_check_vrrp_route_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_route_LDADD = $(VRRP_NET_TEST_LDADD)
tests_fuzz_seeds_vrrp_route_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_vrrp_route.c
tests_fuzz_seeds_vrrp_route_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)
tests_fuzz_seeds_vrrp_route_LDADD = vrrp/libvrrpnet.a lib/libpoise.a $(NL_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_vrrp_route
tests_fuzz_fuzz_vrrp_route_SOURCES = tests/fuzz/fuzz_vrrp_route.c vrrp/vrrp_route.c vrrp/vrrp_encap.c vrrp/vrrp_vmac.c \
	vrrp/vrrp_link.c
tests_fuzz_fuzz_vrrp_route_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_vrrp_route_LDADD = lib/libpoise.a $(NL_LIBS)
tests_fuzz_fuzz_vrrp_route_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

check_PROGRAMS += tests/unit/check_vrrp_vmac
tests_unit_check_vrrp_vmac_SOURCES = tests/unit/check_vrrp_vmac.c
tests_unit_check_vrrp_vmac_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_vrrp_vmac_LDADD = $(VRRP_NET_TEST_LDADD)
