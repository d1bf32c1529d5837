# snmp/: the SNMP subagent.
noinst_LIBRARIES += snmp/libpoisesnmp.a
snmp_libpoisesnmp_a_SOURCES = snmp/mib.h snmp/mib_tree.c snmp/mib_value.c snmp/mib_keepalived.c \
	snmp/mib_keepalived_check.c snmp/mib_vrrp.c snmp/mib_poise.c snmp/mib_poise.h snmp/mib_poise_service.c snmp/mib_poise_work.c \
	snmp/trap_build.c snmp/trap_build.h \
	snmp/trap_parts.h snmp/trap_poise.c snmp/trap_list.h snmp/trap_roll.c snmp/trap_roll.h snmp/outlet.c snmp/outlet.h \
	snmp/library.c snmp/library.h snmp/sender.c snmp/sender.h snmp/sender_usm.c snmp/sender_usm.h \
	snmp/trap.c snmp/trap.h snmp/trap_level.c snmp/trap_level.h snmp/agentx_link.c snmp/agentx_link.h snmp/agentx_probe.c snmp/agentx_probe.h \
	snmp/agent.c snmp/agent.h snmp/agent_answer.c snmp/agent_answer.h

pkglibexec_PROGRAMS += snmp/poise-snmp
snmp_poise_snmp_SOURCES = snmp/snmp_process.c snmp/snmp_conf.c snmp/snmp_conf.h
snmp_poise_snmp_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(NETSNMP_LIBS)

mibdir = $(datadir)/snmp/mibs
dist_mib_DATA = snmp/POISE-MIB.txt
TESTS += tests/unit/poise_mib
EXTRA_DIST += tests/mibs tests/unit/poise_mib

check_PROGRAMS += tests/unit/check_snmp_trap tests/unit/check_snmp_mib tests/unit/check_snmp_link \
	tests/unit/check_snmp_agent tests/unit/check_snmp_roll tests/unit/check_snmp_outlet tests/unit/check_snmp_sender
snmp_site = tests/unit/snmp_site.c tests/unit/snmp_site.h
tests_unit_check_snmp_trap_SOURCES = tests/unit/check_snmp_trap.c $(snmp_site)
tests_unit_check_snmp_trap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_trap_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_snmp_mib_SOURCES = tests/unit/check_snmp_mib.c $(snmp_site)
tests_unit_check_snmp_mib_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_mib_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_snmp_link_SOURCES = tests/unit/check_snmp_link.c
tests_unit_check_snmp_link_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_link_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_snmp_agent_SOURCES = tests/unit/check_snmp_agent.c $(snmp_site)
tests_unit_check_snmp_agent_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_agent_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(NETSNMP_LIBS) $(CHECK_LIBS)
tests_unit_check_snmp_outlet_SOURCES = tests/unit/check_snmp_outlet.c
tests_unit_check_snmp_outlet_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_outlet_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_snmp_roll_SOURCES = tests/unit/check_snmp_roll.c $(snmp_site)
tests_unit_check_snmp_roll_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_roll_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(CHECK_LIBS)
tests_unit_check_snmp_sender_SOURCES = tests/unit/check_snmp_sender.c
tests_unit_check_snmp_sender_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_snmp_sender_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(NETSNMP_LIBS) $(CHECK_LIBS)
