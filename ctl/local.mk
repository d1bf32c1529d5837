# poisectl, the operator's program.
bin_PROGRAMS += ctl/poisectl
noinst_LIBRARIES += ctl/libview.a

# What is shown, as functions from documents to text.
ctl_libview_a_SOURCES = ctl/json.c ctl/json.h ctl/text.c ctl/text.h ctl/view.h ctl/view_ago.c ctl/view_drain.c \
	ctl/view_event.c ctl/view_pair.c ctl/view_rails.c ctl/view_services.c ctl/view_status.c ctl/view_why.c \
	ctl/view_plan.c ctl/view_metrics.c ctl/view_top.c ctl/view_top.h ctl/edit.c ctl/edit.h ctl/view_chain.c ctl/view_chain.h \
	ctl/when.c ctl/when.h ctl/find.c ctl/find.h
ctl_libview_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
ctl_poisectl_SOURCES = ctl/main.c ctl/ctl.h ctl/client.c ctl/client.h ctl/commands.c ctl/complete.c ctl/interrupt.c \
	ctl/request.c ctl/usage.c \
	ctl/cmd_change.c ctl/cmd_convert.c ctl/cmd_handover.c ctl/cmd_drain.c ctl/cmd_events.c ctl/cmd_show.c \
	ctl/cmd_status.c ctl/cmd_load.c ctl/cmd_server.c ctl/cmd_top.c ctl/cmd_save.c
ctl_poisectl_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(NCURSES_CFLAGS)
ctl_poisectl_LDADD = ctl/libview.a lib/libpoise.a $(JSONC_LIBS) $(NCURSES_LIBS)

check_PROGRAMS += tests/unit/check_ctl_view
tests_unit_check_ctl_view_SOURCES = tests/unit/check_ctl_view.c tests/unit/quoted_json.h
tests_unit_check_ctl_view_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_ctl_view_LDADD = ctl/libview.a lib/libpoise.a $(JSONC_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_ctl_figures
tests_unit_check_ctl_figures_SOURCES = tests/unit/check_ctl_figures.c tests/unit/quoted_json.h
tests_unit_check_ctl_figures_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_ctl_figures_LDADD = ctl/libview.a lib/libpoise.a $(JSONC_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_ctl_edit
tests_unit_check_ctl_edit_SOURCES = tests/unit/check_ctl_edit.c
tests_unit_check_ctl_edit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_ctl_edit_LDADD = ctl/libview.a lib/libpoise.a $(JSONC_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_ctl_words
tests_unit_check_ctl_words_SOURCES = tests/unit/check_ctl_words.c tests/unit/quoted_json.h
tests_unit_check_ctl_words_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
tests_unit_check_ctl_words_LDADD = ctl/libview.a lib/libpoise.a $(JSONC_LIBS) $(CHECK_LIBS)
