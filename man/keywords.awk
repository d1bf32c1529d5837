# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the keyword part of poise.conf(5) from what `poise-config --keywords` prints: tab-separated path, kind, range,
# default, what a change means on reload, one sentence.
function escape(s)
{
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/'/, "\\(aq", s)
	gsub(/`/, "\\(ga", s)
	sub(/^\./, "\\\\\\&.", s)
	return s
}

function parent(path)
{
	return path ~ /\// ? substr(path, 1, length(path) - length(name(path)) - 1) : ""
}

function name(path)
{
	sub(/.*\//, "", path)
	return path
}

function describe(path,    text, range)
{
	text = help[path]
	text = toupper(substr(text, 1, 1)) substr(text, 2) "."
	print ".TP"
	range = kind[path] == "flag" ? "" : kind[path] == "words" || kind[path] == "list" ? "" : kind[path]
	printf ".B %s", escape(name(path))
	if (range != "")
		printf " \\fI%s\\fR", escape(range)
	print ""
	print escape(text)
	if (kind[path] != "flag" && limits[path] ~ / to /)
		print "From " escape(limits[path]) "."
	else if (kind[path] != "flag" && limits[path] ~ /\|/)
		print "One of " escape(limits[path]) "."
	if (standard[path] == "required")
		print "Must be there."
	else if (standard[path] != "" && text !~ /[Dd]efault/)
		print "Default " escape(standard[path]) "."
	if (reload[path] == "start")
		print "A change takes effect at the next start."
	else if (reload[path] == "object")
		print "A change restarts the object."
}

function section(block,    i, path)
{
	printf ".SS %s\n", escape(block)
	if (help[block] != "")
		print escape(toupper(substr(help[block], 1, 1)) substr(help[block], 2)) "."
	for (i = 1; i <= n; i++) {
		path = order[i]
		if (parent(path) == block && kind[path] !~ /^(block|ignored|inactive|refused)$/)
			describe(path)
	}
	for (i = 1; i <= n; i++)
		if (parent(order[i]) == block && kind[order[i]] == "block")
			section(order[i])
}

function others(wanted,    i, path)
{
	for (i = 1; i <= n; i++) {
		path = order[i]
		if (kind[path] != wanted)
			continue
		print ".TP"
		print ".B " escape(path)
		print escape(toupper(substr(help[path], 1, 1)) substr(help[path], 2)) "."
	}
}

BEGIN { FS = "\t" }

{
	if ($1 in kind)
		next
	order[++n] = $1
	kind[$1] = $2
	limits[$1] = $3
	standard[$1] = $4
	reload[$1] = $5
	help[$1] = $6
}

END {
	if (!n)
		exit 1
	print ".SH KEYWORDS"
	print ".SS At the top of the file"
	for (i = 1; i <= n; i++)
		if (parent(order[i]) == "" && kind[order[i]] !~ /^(block|ignored|inactive|refused)$/)
			describe(order[i])
	for (i = 1; i <= n; i++)
		if (parent(order[i]) == "" && kind[order[i]] == "block")
			section(order[i])
	print ".SH KEYWORDS WITHOUT EFFECT"
	print "They are understood, so that a file written for keepalived loads; each is named in a note, which \\fBpoised -t -v\\fR shows."
	others("ignored")
	print ".SH KEYWORDS THAT DO NOT ACT"
	print "They are accepted with a warning, but what they ask for is not done."
	others("inactive")
	print ".SH KEYWORDS THAT ARE REFUSED"
	print "Doing without them in silence would serve less than the file asks for."
	others("refused")
}
