# The script role: tracked scripts and notifications.
pkglibexec_PROGRAMS += daemon/script/poise-script
noinst_LIBRARIES += daemon/script/libscript.a

# What decides or can be tried without a daemon.
daemon_script_libscript_a_SOURCES = daemon/script/script_path.c daemon/script/script_path.h \
	daemon/script/script_queue.c daemon/script/script_queue.h \
	daemon/script/script_spawn.c daemon/script/script_spawn.h \
	daemon/script/script_user.c daemon/script/script_user.h \
	daemon/script/script_verdict.c daemon/script/script_verdict.h \
	daemon/script/script_words.c daemon/script/script_words.h

daemon_script_poise_script_SOURCES = daemon/script/script_process.c \
	daemon/script/script_check.c daemon/script/script_check.h \
	daemon/script/script_notify.c daemon/script/script_notify.h
daemon_script_poise_script_LDADD = daemon/script/libscript.a $(ROLE_LIBS)
