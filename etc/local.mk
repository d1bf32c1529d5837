# What an installation needs beside the programs: units, users, completion, examples.
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
completiondir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/vendor-completions

systemdunit_DATA = etc/poise.service etc/poise-script@.service etc/poise-script.socket
pkglibexec_SCRIPTS = etc/release-leftovers
dist_doc_DATA = README.md doc/servers.md doc/firewall.md doc/cloud.md etc/poise-status.keys etc/poise-documents.keys
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/poise.conf etc/poise-dr.conf
EXTRA_DIST += etc/poise.service.in etc/poise-script@.service.in etc/poise-script.socket \
	etc/release-leftovers.in etc/poise.sysusers etc/poise.tmpfiles etc/poise.bash-completion etc/poise.zsh-completion \
	etc/poised.zsh-completion tests/unit/examples tests/unit/manuals
CLEANFILES += etc/poise.service etc/poise-script@.service etc/release-leftovers
TESTS += tests/unit/examples tests/unit/manuals

edit_paths = $(MKDIR_P) etc && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@pkglibexecdir[@]|$(pkglibexecdir)|g'

etc/poise.service: etc/poise.service.in Makefile
	$(AM_V_GEN)$(edit_paths) $(srcdir)/etc/poise.service.in > $@

etc/poise-script@.service: etc/poise-script@.service.in Makefile
	$(AM_V_GEN)$(edit_paths) $(srcdir)/etc/poise-script@.service.in > $@

etc/release-leftovers: etc/release-leftovers.in Makefile
	$(AM_V_GEN)$(edit_paths) $(srcdir)/etc/release-leftovers.in > $@ && chmod +x $@

install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(sysusersdir)" "$(DESTDIR)$(tmpfilesdir)" "$(DESTDIR)$(completiondir)" "$(DESTDIR)$(zshdir)" \
		"$(DESTDIR)$(sysconfdir)/poise"
	$(INSTALL_DATA) $(srcdir)/etc/poise.sysusers "$(DESTDIR)$(sysusersdir)/poise.conf"
	$(INSTALL_DATA) $(srcdir)/etc/poise.tmpfiles "$(DESTDIR)$(tmpfilesdir)/poise.conf"
	$(INSTALL_DATA) $(srcdir)/etc/poise.bash-completion "$(DESTDIR)$(completiondir)/poised"
	cd "$(DESTDIR)$(completiondir)" && ln -sf poised poisectl
	$(INSTALL_DATA) $(srcdir)/etc/poise.zsh-completion "$(DESTDIR)$(zshdir)/_poisectl"
	$(INSTALL_DATA) $(srcdir)/etc/poised.zsh-completion "$(DESTDIR)$(zshdir)/_poised"

uninstall-local:
	rm -f "$(DESTDIR)$(sysusersdir)/poise.conf" "$(DESTDIR)$(tmpfilesdir)/poise.conf" \
		"$(DESTDIR)$(completiondir)/poised" "$(DESTDIR)$(completiondir)/poisectl" "$(DESTDIR)$(zshdir)/_poisectl" \
		"$(DESTDIR)$(zshdir)/_poised"
