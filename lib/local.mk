noinst_LIBRARIES += lib/libpoise.a lib/libpoisenl.a
lib_libpoise_a_SOURCES = lib/addr.c lib/addr.h lib/boot_id.c lib/boot_id.h lib/log.c lib/log.h lib/log_journal.c lib/loop.c lib/loop.h lib/mono.h \
	lib/roles.c lib/roles.h lib/needed.c lib/needed.h lib/msg.c lib/msg.h lib/msg.def lib/board.c lib/board.h \
	lib/thread.c lib/thread.h lib/worker.c lib/worker.h lib/fetch.c lib/fetch.h lib/status.c lib/status.h \
	lib/check_reason.c lib/check_reason.h lib/check_socket.c lib/check_socket.h \
	lib/conf.c lib/conf.h lib/conf_base.h lib/conf_healthcheck.h lib/conf_ipvs.h lib/conf_routing.h lib/conf_vrrp.h \
	lib/conf_build.c lib/conf_layout.c lib/conf_layout.h lib/conf_match.c lib/conf_path.c lib/role.c \
	lib/role.h lib/ledger.c lib/ledger.h lib/sandbox.c lib/sandbox_strict.c lib/sandbox.h lib/sysctls.c lib/sysctls.h \
	lib/conf_compare.c lib/conf_spread.c lib/conf_pool.c lib/conf_pool.h lib/sync_receipt.c lib/sync_receipt.h
lib_libpoise_a_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS)
# What every role links.
ROLE_LIBS = lib/libpoise.a $(SYSTEMD_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS)

# Only vrrp and ipvs speak netlink.
lib_libpoisenl_a_SOURCES = lib/netlink.c lib/netlink.h
lib_libpoisenl_a_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS)

check_PROGRAMS += tests/unit/check_netlink
tests_unit_check_netlink_SOURCES = tests/unit/check_netlink.c
tests_unit_check_netlink_CFLAGS = $(AM_CFLAGS) $(NL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_netlink_LDADD = lib/libpoisenl.a $(NL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_sandbox
tests_unit_check_sandbox_SOURCES = tests/unit/check_sandbox.c
tests_unit_check_sandbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_sandbox_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_ledger
tests_unit_check_ledger_SOURCES = tests/unit/check_ledger.c
tests_unit_check_ledger_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_ledger_LDADD = lib/libpoise.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_addr tests/unit/check_board tests/unit/check_msg tests/unit/check_loop
tests_unit_check_addr_SOURCES = tests/unit/check_addr.c
tests_unit_check_addr_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_addr_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_board_SOURCES = tests/unit/check_board.c
tests_unit_check_board_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_board_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_worker tests/unit/check_fetch
tests_unit_check_fetch_SOURCES = tests/unit/check_fetch.c
tests_unit_check_fetch_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_fetch_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_worker_SOURCES = tests/unit/check_worker.c
tests_unit_check_worker_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_worker_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_msg_SOURCES = tests/unit/check_msg.c
tests_unit_check_msg_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_msg_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_loop_SOURCES = tests/unit/check_loop.c
tests_unit_check_loop_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_loop_LDADD = $(ROLE_LIBS) $(CHECK_LIBS)
