# The control role: the socket of poisectl.
pkglibexec_PROGRAMS += daemon/control/poise-control
noinst_LIBRARIES += daemon/control/libcontrol.a

daemon_control_libcontrol_a_SOURCES = daemon/control/control_access.c daemon/control/control_access.h \
	daemon/control/control_events.c daemon/control/control_events.h \
	daemon/control/control_match.c daemon/control/control_match.h \
	daemon/control/control_problems.c daemon/control/control_request.c daemon/control/control_request.h \
	daemon/control/control_status.c daemon/control/control_status.h \
	daemon/control/control_status_ipvs.c daemon/control/control_status_vrrp.c \
	daemon/control/control_writer.c daemon/control/control_writer.h
daemon_control_libcontrol_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)

daemon_control_poise_control_SOURCES = daemon/control/control_process.c \
	daemon/control/control_admin.c daemon/control/control_admin.h \
	daemon/control/control_client.c daemon/control/control_client.h
daemon_control_poise_control_LDADD = daemon/control/libcontrol.a $(ROLE_LIBS) $(JSONC_LIBS)
