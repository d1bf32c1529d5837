# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# What tests/run, tests/demo and tests/bench/run share: installing what is missing, building, finding a kernel.
# The caller has set $top (the source tree), $out (where everything is built and kept) and $python.

say()
{
	printf '%s\n' "$*"
}

die()
{
	say "${0##*/}: $*" >&2
	exit 1
}

# The packages of the groups named, as tests/packages lists them.
packages_of()
{
	for group; do
		awk -v group="# $group" '/^#/ { on = $0 == group } on && !/^#/ && NF' "$top/tests/packages"
	done | sort -u
}

# Those of the packages that are not installed.
missing_of()
{
	for package in $(packages_of "$@"); do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || say "$package"
	done
}

# Installs what is missing of the groups; services that come with it are not started.
install_groups()
{
	missing=$(missing_of "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "packages are missing; as root, run: apt-get install $missing"
	say "Installing: $missing"
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT INT TERM HUP
	else
		policy=
	fi
	(
		exec </dev/null
		export DEBIAN_FRONTEND=noninteractive
		lock="-o DPkg::Lock::Timeout=300"
		# shellcheck disable=SC2086
		apt-get $lock -q -y --no-install-recommends install $missing || {
			apt-get $lock -q update && apt-get $lock -q -y --no-install-recommends install $missing
		}
	) >"$out/apt.log" 2>&1 || {
		tail -n 20 "$out/apt.log"
		[ -z "$policy" ] || rm -f "$policy"
		die "these packages could not be installed: $missing"
	}
	if [ -n "$policy" ]; then
		rm -f "$policy"
		trap - EXIT INT TERM HUP
	fi
}

# Copies the sources to $out/src with their times, so that a tree which is itself configured can be built elsewhere.
copy_sources()
{
	mkdir -p "$out/src"
	(
		cd "$top" || exit 1
		{
			git -c safe.directory='*' ls-files -co --exclude-standard 2>/dev/null ||
				find . -type f ! -path './tests/out/*' ! -path './.git/*'
		} | while IFS= read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done >"$out/src.list"
		tar -cf - -T "$out/src.list" | tar -xf - -C "$out/src"
	)
}

# build FOLDER CONFIGURE_OPTION...: a build of the sources as they are now, or the one that is there brought up to date.
build()
{
	folder=$1
	shift
	copy_sources || return 1
	if [ ! -x "$out/src/configure" ] ||
		[ -n "$(find "$out/src/configure.ac" -newer "$out/src/configure")" ]; then
		"$out/src/autogen.sh" || return 1
	fi
	# a folder that was configured for another tree, or a clone that was moved
	grep -qsx "abs_top_srcdir = $out/src" "$folder/Makefile" || rm -rf "$folder"
	mkdir -p "$folder"
	(
		cd "$folder" || exit 1
		compiler=gcc
		! command -v ccache >/dev/null || compiler="ccache gcc"
		[ -f Makefile ] || "$out/src/configure" -q CC="${CC:-$compiler}" "$@" || exit 1
		make -s -j"$(nproc)"
	)
}

# Prints own, uml or qemu: the kernel with IPVS that works here, installing a guest kernel when the machine's own has
# none. Nothing and status 1 when there is none.
find_kernel()
{
	for kernel in own uml qemu; do
		[ -z "${LAB_USE:-}" ] || [ "$LAB_USE" = $kernel ] || continue
		[ $kernel = own ] || install_groups $kernel >&2 || continue
		if "$top/tests/lab/guest" --kernel=$kernel --which 2>/dev/null; then
			return 0
		fi
	done
	say "no kernel with IPVS can be used here: the machine has none, and neither User Mode Linux nor QEMU starts" >&2
	return 1
}
