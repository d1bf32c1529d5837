# daemon/config
noinst_LIBRARIES += daemon/config/libconfig.a
daemon_config_libconfig_a_SOURCES = daemon/config/conf_address.c daemon/config/conf_address.h \
	daemon/config/conf_apply.c daemon/config/conf_check.c daemon/config/conf_checkers.c \
	daemon/config/conf_command.c daemon/config/conf_compact.c daemon/config/conf_define.c \
	daemon/config/conf_diag.c daemon/config/conf_diag.h daemon/config/conf_directive.h \
	daemon/config/conf_finish.c daemon/config/conf_finish.h daemon/config/conf_finish_service.c \
	daemon/config/conf_global.c daemon/config/conf_instance.c daemon/config/conf_lex.c \
	daemon/config/conf_lex.h daemon/config/conf_lex_internal.h daemon/config/conf_line.c \
	daemon/config/conf_line.h daemon/config/conf_load.h daemon/config/conf_memory.c \
	daemon/config/conf_memory.h daemon/config/conf_print.c daemon/config/conf_print.h \
	daemon/config/conf_read.c daemon/config/conf_read.h daemon/config/conf_script.c \
	daemon/config/conf_service.c daemon/config/conf_service_group.c daemon/config/conf_source.c \
	daemon/config/conf_source.h daemon/config/conf_split.c daemon/config/conf_track.c \
	daemon/config/conf_track.h daemon/config/conf_tree.c daemon/config/conf_tree.h \
	daemon/config/conf_value.c

pkglibexec_PROGRAMS += daemon/config/poise-config
daemon_config_poise_config_SOURCES = daemon/config/conf_main.c
daemon_config_poise_config_LDADD = daemon/config/libconfig.a $(ROLE_LIBS)
