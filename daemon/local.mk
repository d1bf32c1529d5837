# The parent process.
sbin_PROGRAMS += daemon/poised
noinst_LIBRARIES += daemon/libpoiseparent.a
daemon_libpoiseparent_a_SOURCES = daemon/supervise.c daemon/supervise.h daemon/intent.c daemon/intent.h \
	daemon/scribe.c daemon/scribe.h daemon/keeper.c daemon/keeper.h
daemon_poised_SOURCES = daemon/main.c daemon/parent.c daemon/parent.h daemon/child.c daemon/reader.c daemon/reload.c daemon/admin.c \
	daemon/apply.c daemon/pool.c daemon/stop.c daemon/lend.c daemon/program.c daemon/namespace.c daemon/share.c \
	daemon/hook.c daemon/read_mark.c daemon/standby.c
daemon_poised_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
daemon_poised_LDADD = daemon/libpoiseparent.a $(ROLE_LIBS)

check_PROGRAMS += tests/unit/check_parent tests/unit/check_scribe
tests_unit_check_scribe_SOURCES = tests/unit/check_scribe.c
tests_unit_check_scribe_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_scribe_LDADD = daemon/libpoiseparent.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_parent_SOURCES = tests/unit/check_parent.c
tests_unit_check_parent_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_parent_LDADD = daemon/libpoiseparent.a $(ROLE_LIBS) $(CHECK_LIBS)
