# The control role: the socket of poisectl.
pkglibexec_PROGRAMS += daemon/control/poise-control
noinst_LIBRARIES += daemon/control/libcontrol.a

daemon_control_libcontrol_a_SOURCES = daemon/control/control_access.c daemon/control/control_access.h \
	daemon/control/control_events.c daemon/control/control_events.h \
	daemon/control/control_match.c daemon/control/control_match.h \
	daemon/control/control_plan.c daemon/control/control_plan.h \
	daemon/control/control_plan_members.c daemon/control/control_plan_members.h \
	daemon/control/control_problems.c daemon/control/control_request.c daemon/control/control_request.h \
	daemon/control/control_source.c daemon/control/control_source.h daemon/control/control_status.c daemon/control/control_status.h \
	daemon/control/control_status_bfd.c daemon/control/control_status_ipvs.c daemon/control/control_status_health.c daemon/control/control_status_pair.c daemon/control/control_status_rails.c daemon/control/control_status_snmp.c daemon/control/control_status_vrrp.c \
	daemon/control/control_writer.c daemon/control/control_writer.h
daemon_control_libcontrol_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)

daemon_control_poise_control_SOURCES = daemon/control/control_process.c \
	daemon/control/control_admin.c daemon/control/control_admin.h \
	daemon/control/control_job.h daemon/control/control_targets.c \
	daemon/control/control_client.c daemon/control/control_client.h daemon/control/control_disk.c daemon/control/control_disk.h \
	daemon/control/control_weigh.c daemon/control/control_weigh.h
daemon_control_poise_control_LDADD = daemon/control/libcontrol.a $(ROLE_LIBS) $(JSONC_LIBS)

CONTROL_LIBS = daemon/control/libcontrol.a lib/libpoise.a $(SYSTEMD_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(JSONC_LIBS) \
	$(CHECK_LIBS)
CONTROL_SITE = tests/unit/control_site.c tests/unit/control_site.h
check_PROGRAMS += tests/unit/check_control_status tests/unit/check_control_request tests/unit/check_control_admin \
	tests/unit/check_plan tests/fuzz/seeds_control_request
tests_unit_check_plan_SOURCES = tests/unit/check_plan.c $(CONTROL_SITE)
tests_unit_check_plan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_plan_LDADD = $(CONTROL_LIBS)
tests_unit_check_control_status_SOURCES = tests/unit/check_control_status.c $(CONTROL_SITE)
tests_unit_check_control_status_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_control_status_LDADD = $(CONTROL_LIBS)
tests_unit_check_control_request_SOURCES = tests/unit/check_control_request.c
tests_unit_check_control_request_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_control_request_LDADD = $(CONTROL_LIBS)
tests_unit_check_control_admin_SOURCES = tests/unit/check_control_admin.c daemon/control/control_admin.c \
	daemon/control/control_targets.c $(CONTROL_SITE)
tests_unit_check_control_admin_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_control_admin_LDADD = $(CONTROL_LIBS)
tests_fuzz_seeds_control_request_SOURCES = tests/fuzz/fuzz_control_request.c tests/fuzz/run_seeds.c
tests_fuzz_seeds_control_request_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
tests_fuzz_seeds_control_request_LDADD = $(CONTROL_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_control_request
tests_fuzz_fuzz_control_request_SOURCES = tests/fuzz/fuzz_control_request.c daemon/control/control_request.c
tests_fuzz_fuzz_control_request_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_control_request_LDADD = $(CONTROL_LIBS)
tests_fuzz_fuzz_control_request_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
