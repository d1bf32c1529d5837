# The script role: tracked scripts and notifications.
pkglibexec_PROGRAMS += daemon/script/poise-script
noinst_LIBRARIES += daemon/script/libscript.a

# What decides or can be tried without a daemon.
daemon_script_libscript_a_SOURCES = daemon/script/script_match.c daemon/script/script_match.h \
	daemon/script/script_text.c daemon/script/script_text.h \
	daemon/script/script_path.c daemon/script/script_path.h \
	daemon/script/script_queue.c daemon/script/script_queue.h \
	daemon/script/script_spawn.c daemon/script/script_spawn.h \
	daemon/script/script_time.c daemon/script/script_time.h \
	daemon/script/script_user.c daemon/script/script_user.h \
	daemon/script/script_verdict.c daemon/script/script_verdict.h \
	daemon/script/script_words.c daemon/script/script_words.h

daemon_script_poise_script_SOURCES = daemon/script/script_process.c \
	daemon/script/script_advice.c daemon/script/script_advice.h \
	daemon/script/script_check.c daemon/script/script_check.h \
	daemon/script/script_fifo.c daemon/script/script_fifo.h \
	daemon/script/script_mail.c daemon/script/script_mail.h \
	daemon/script/script_tell.c daemon/script/script_tell.h \
	daemon/script/script_files.c daemon/script/script_files.h \
	daemon/script/script_processes.c daemon/script/script_processes.h \
	daemon/script/script_misc.c daemon/script/script_misc.h \
	daemon/script/script_run.c daemon/script/script_run.h \
	daemon/script/script_notify.c daemon/script/script_notify.h \
	daemon/script/script_schedule.c daemon/script/script_schedule.h \
	daemon/script/script_unit.c daemon/script/script_unit.h \
	daemon/script/script_watch.c daemon/script/script_watch.h
daemon_script_poise_script_LDADD = daemon/script/libscript.a $(ROLE_LIBS)

# Hands one mail to a server; run for each.
pkglibexec_PROGRAMS += daemon/script/poise-mail
daemon_script_poise_mail_SOURCES = daemon/script/mail_main.c
daemon_script_poise_mail_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
daemon_script_poise_mail_LDADD = $(CURL_LIBS)

SCRIPT_CHECK_LIBS = daemon/script/libscript.a $(ROLE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_script_core tests/unit/check_script_spawn
tests_unit_check_script_core_SOURCES = tests/unit/check_script_core.c
tests_unit_check_script_core_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_script_core_LDADD = $(SCRIPT_CHECK_LIBS)
tests_unit_check_script_spawn_SOURCES = tests/unit/check_script_spawn.c
tests_unit_check_script_spawn_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_script_spawn_LDADD = $(SCRIPT_CHECK_LIBS)
check_PROGRAMS += tests/unit/check_script_text
tests_unit_check_script_text_SOURCES = tests/unit/check_script_text.c
tests_unit_check_script_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_script_text_LDADD = $(SCRIPT_CHECK_LIBS)
