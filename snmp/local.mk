# programs and unit tests of snmp/
