# Manual pages; the keywords of poise.conf(5) come from the tables that the parser uses.
dist_man_MANS += man/poised.8 man/poisectl.1
man_MANS = man/poise.conf.5
EXTRA_DIST += man/poise.conf.5.head man/poise.conf.5.tail man/keywords.awk
CLEANFILES += man/poise.conf.5

man/poise.conf.5: man/poise.conf.5.head man/poise.conf.5.tail man/keywords.awk daemon/config/poise-config$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && daemon/config/poise-config --keywords > $@.keywords && { \
		cat $(srcdir)/man/poise.conf.5.head && \
		$(AWK) -f $(srcdir)/man/keywords.awk $@.keywords && \
		cat $(srcdir)/man/poise.conf.5.tail; } > $@.new && \
	rm $@.keywords && mv $@.new $@
