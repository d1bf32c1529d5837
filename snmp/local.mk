# snmp/: the SNMP subagent.
noinst_LIBRARIES += snmp/libpoisesnmp.a
snmp_libpoisesnmp_a_SOURCES = snmp/mib.h snmp/mib_tree.c snmp/mib_value.c snmp/mib_keepalived.c \
	snmp/mib_keepalived_check.c snmp/mib_vrrp.c snmp/mib_poise.c snmp/trap_build.c snmp/trap_build.h \
	snmp/trap.c snmp/trap.h snmp/agentx_link.c snmp/agentx_link.h snmp/agentx_probe.c snmp/agentx_probe.h \
	snmp/agent.c snmp/agent.h

pkglibexec_PROGRAMS += snmp/poise-snmp
snmp_poise_snmp_SOURCES = snmp/snmp_process.c
snmp_poise_snmp_LDADD = snmp/libpoisesnmp.a $(ROLE_LIBS) $(NETSNMP_LIBS)

mibdir = $(datadir)/snmp/mibs
dist_mib_DATA = snmp/POISE-MIB.txt
