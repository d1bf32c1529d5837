# daemon/config
noinst_LIBRARIES += daemon/config/libconfig.a
daemon_config_libconfig_a_SOURCES = daemon/config/conf_address.c daemon/config/conf_address.h \
	daemon/config/conf_apply.c daemon/config/conf_bfd.c daemon/config/conf_check.c daemon/config/conf_check_repeated.c daemon/config/conf_check_shared.c \
	daemon/config/conf_checkers.c daemon/config/conf_probe.c daemon/config/conf_probe.h \
	daemon/config/conf_command.c daemon/config/conf_compact.c daemon/config/conf_define.c \
	daemon/config/conf_diag.c daemon/config/conf_diag.h daemon/config/conf_directive.h \
	daemon/config/conf_finish.c daemon/config/conf_finish.h daemon/config/conf_finish_service.c \
	daemon/config/conf_forward.c daemon/config/conf_guard.c daemon/config/conf_guard.h daemon/config/conf_lvs.c \
	daemon/config/conf_global.c daemon/config/conf_hmac.c daemon/config/conf_hmac.h daemon/config/conf_instance.c \
	daemon/config/conf_lex.c daemon/config/conf_link.c daemon/config/conf_link.h daemon/config/conf_convert.c daemon/config/conf_convert.h daemon/config/conf_include.c \
	daemon/config/conf_predefined.c daemon/config/conf_garp.c \
	daemon/config/conf_lex.h daemon/config/conf_lex_internal.h daemon/config/conf_line.c \
	daemon/config/conf_line.h daemon/config/conf_load.c daemon/config/conf_load.h daemon/config/conf_memory.c daemon/config/conf_names.c daemon/config/conf_order.c daemon/config/conf_order.h \
	daemon/config/conf_memory.h daemon/config/conf_dump.c daemon/config/conf_keywords.c daemon/config/conf_print.c daemon/config/conf_print.h \
	daemon/config/conf_read.c daemon/config/conf_read.h daemon/config/conf_script.c \
	daemon/config/conf_server.c daemon/config/conf_service.c daemon/config/conf_service.h \
	daemon/config/conf_service_group.c daemon/config/conf_pair.c daemon/config/conf_pair.h daemon/config/conf_snmp.c daemon/config/conf_snmp.h daemon/config/conf_source.c \
	daemon/config/conf_source.h daemon/config/conf_split.c daemon/config/conf_track_group.c daemon/config/conf_track.c \
	daemon/config/conf_track.h daemon/config/conf_tree.c daemon/config/conf_tree.h \
	daemon/config/conf_ssl.c daemon/config/conf_tls.c daemon/config/conf_value.c daemon/config/conf_watch.c \
	daemon/config/conf_fifo.c daemon/config/conf_fifo.h daemon/config/conf_metric.c daemon/config/conf_metric.h \
	daemon/config/conf_phrase.c daemon/config/conf_phrase.h daemon/config/conf_iproute.c daemon/config/conf_iproute.h daemon/config/conf_route.c daemon/config/conf_route.h \
	daemon/config/conf_route_print.c daemon/config/conf_encap_read.c daemon/config/conf_encap_read.h \
	daemon/config/conf_rule.c daemon/config/conf_rule.h daemon/config/conf_umask.c daemon/config/conf_umask.h \
	daemon/config/conf_unknown.c

pkglibexec_PROGRAMS += daemon/config/poise-config
daemon_config_poise_config_SOURCES = daemon/config/conf_main.c
daemon_config_poise_config_LDADD = daemon/config/libconfig.a $(ROLE_LIBS)

CONFIG_CHECK_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -I$(top_srcdir)/daemon/config
CONFIG_CHECK_LIBS = daemon/config/libconfig.a lib/libpoise.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_table
tests_unit_check_conf_table_SOURCES = tests/unit/check_conf_table.c
tests_unit_check_conf_table_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_table_LDADD = lib/libpoise.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_lex
tests_unit_check_conf_lex_SOURCES = tests/unit/check_conf_lex.c
tests_unit_check_conf_lex_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_lex_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_load
tests_unit_check_conf_load_SOURCES = tests/unit/check_conf_load.c
tests_unit_check_conf_load_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_load_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_order
tests_unit_check_conf_order_SOURCES = tests/unit/check_conf_order.c
tests_unit_check_conf_order_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_order_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_vrrp
tests_unit_check_conf_vrrp_SOURCES = tests/unit/check_conf_vrrp.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_conf_vrrp_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_vrrp_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_hmac
tests_unit_check_conf_hmac_SOURCES = tests/unit/check_conf_hmac.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_conf_hmac_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_hmac_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_snmp
tests_unit_check_conf_snmp_SOURCES = tests/unit/check_conf_snmp.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_conf_snmp_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_snmp_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_service
tests_unit_check_conf_service_SOURCES = tests/unit/check_conf_service.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_conf_service_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_service_LDADD = $(CONFIG_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_conf_files
tests_unit_check_conf_files_SOURCES = tests/unit/check_conf_files.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_conf_files_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_unit_check_conf_files_LDADD = $(CONFIG_CHECK_LIBS)
EXTRA_DIST += tests/config

# The fuzz targets over their seeds; with --enable-fuzzers (CC=clang) also as programs that look for more.
check_PROGRAMS += tests/fuzz/seeds_conf tests/fuzz/seeds_conf_table tests/fuzz/damage_conf
tests_fuzz_damage_conf_SOURCES = tests/fuzz/run_damage.c tests/fuzz/fuzz_conf.c
tests_fuzz_damage_conf_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_fuzz_damage_conf_LDADD = daemon/config/libconfig.a lib/libpoise.a
tests_fuzz_seeds_conf_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_conf.c
tests_fuzz_seeds_conf_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_fuzz_seeds_conf_LDADD = daemon/config/libconfig.a lib/libpoise.a
tests_fuzz_seeds_conf_table_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_conf_table.c
tests_fuzz_seeds_conf_table_CFLAGS = $(CONFIG_CHECK_CFLAGS)
tests_fuzz_seeds_conf_table_LDADD = daemon/config/libconfig.a lib/libpoise.a
if FUZZERS
CONFIG_FUZZ_FLAGS = -fsanitize=fuzzer,address,undefined
noinst_PROGRAMS += tests/fuzz/fuzz_conf tests/fuzz/fuzz_conf_table
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(daemon_config_libconfig_a_SOURCES)
tests_fuzz_fuzz_conf_CFLAGS = $(CONFIG_CHECK_CFLAGS) $(CONFIG_FUZZ_FLAGS)
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(CONFIG_FUZZ_FLAGS)
tests_fuzz_fuzz_conf_LDADD = lib/libpoise.a
tests_fuzz_fuzz_conf_table_SOURCES = tests/fuzz/fuzz_conf_table.c lib/conf.c lib/conf_build.c lib/conf_layout.c
tests_fuzz_fuzz_conf_table_CFLAGS = $(CONFIG_CHECK_CFLAGS) $(CONFIG_FUZZ_FLAGS)
tests_fuzz_fuzz_conf_table_LDFLAGS = $(AM_LDFLAGS) $(CONFIG_FUZZ_FLAGS)
tests_fuzz_fuzz_conf_table_LDADD = daemon/config/libconfig.a lib/libpoise.a
endif
