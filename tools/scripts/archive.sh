# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after common.sh: packages of Debian's archive, from whichever suite has
# them, downloaded and not installed. The archive is the one that this machine's apt
# uses anyway; lists and state are kept apart from apt's own.

# shellcheck source=tools/scripts/progress.sh
. "$ROOT/tools/scripts/progress.sh"

# Where to look, in this order.
# shellcheck disable=SC2034 # for those who source this
SUITES=(trixie-backports testing unstable)
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# Lists are asked for again when they are older than this (minutes).
LISTS_AGE=60

# archive: the address of this machine's Debian archive.
archive() {
	if [ -n "${ALTPID_ARCHIVE:-}" ]; then
		echo "$ALTPID_ARCHIVE"
		return
	fi
	# shellcheck disable=SC2016 # the names are apt's
	apt-get indextargets --format '$(ORIGIN) $(CREATED_BY) $(REPO_URI)' |
		awk '$1 == "Debian" && $2 == "Packages" && $3 !~ /security/ { print $3; exit }'
}

# suite_apt COMMAND SUITE ARGS...: apt-get or apt-cache with the lists of one suite.
suite_apt() {
	local command=$1 dir=$CACHE/apt/$2
	shift 2
	"$command" -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State="$dir/state" -o Dir::State::Lists="$dir/lists" \
		-o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
		-o APT::Sandbox::User="$(id -un)" -o APT::Get::List-Cleanup=false \
		-o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		-o Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled=false \
		-o Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false "$@"
}

# suite_update SUITE: its lists, unless they are fresh; false if it cannot be reached.
suite_update() {
	local dir=$CACHE/apt/$1 uri lock
	mkdir -p "$dir"/{state,lists/partial,cache/archives/partial}
	exec {lock}>"$dir/.lock"
	flock "$lock"
	if [ -z "$(find "$dir/.updated" -mmin -"$LISTS_AGE" 2>/dev/null)" ]; then
		uri=$(archive)
		[ -n "$uri" ] || die "no Debian archive is configured on this machine" \
			"give a source tree and a kernel of your own: KERNEL_SRC=/path, KDIR=/path"
		: >"$dir/status"
		printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$uri" "$1" >"$dir/sources.list"
		if ! suite_apt apt-get "$1" update >"$dir/log" 2>&1 || grep -q '^W: Failed' "$dir/log"; then
			exec {lock}>&-
			return 1
		fi
		touch "$dir/.updated"
	fi
	exec {lock}>&-
}

# versions SUITE PACKAGE: which there are, the newest first.
versions() {
	suite_apt apt-cache "$1" madison "$2" 2>/dev/null | awk -F ' *\\| *' '{ print $2 }' | sort -rV
}

# names SUITE PATTERN: packages whose name matches, the newest first.
names() {
	suite_apt apt-cache "$1" search --names-only "$2" 2>/dev/null | awk '{ print $1 }' | sort -rV
}

# unreachable: why no suite gave what was asked for.
unreachable() {
	die "the Debian archive cannot be reached: $(sed -n 's/^[EW]: *//p' "$CACHE"/apt/*/log 2>/dev/null | head -n 1)" \
		"connect this machine to the network and do the same again: it goes on from here"
}

# download SUITE PACKAGE VERSION DIR: leaves the package's file in DIR, whole or not at
# all, and prints its name.
download() {
	local suite=$1 package=$2 version=$3 dir=$4 work=$4/.download file
	mkdir -p "$work"
	(cd "$work" && suite_apt apt-get "$suite" -o APT::Status-Fd=3 download "$package=$version" \
		3>&1 >"$work/log" 2>&1 | apt_progress) ||
		die "$package $version could not be downloaded: $(tail -n 1 "$work/log")" \
			"do the same again: it goes on from here"
	file=$(basename "$work/${package}_"*.deb)
	mv "$work/$file" "$dir/$file"
	rm -rf "$work"
	printf '%s\n' "$dir/$file"
}

# require_space MIB: in the cache.
require_space() {
	local free
	mkdir -p "$CACHE"
	free=$(df --output=avail -m "$CACHE" | tail -n 1)
	[ "$free" -ge "$1" ] || die "$CACHE has $((free)) MiB of free space, and $1 MiB are needed" \
		"make room, or choose another place: ALTPID_CACHE=/path"
}
