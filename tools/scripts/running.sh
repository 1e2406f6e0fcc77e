# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after kdir.sh: the kernel that runs on this machine, and whether it would load
# the module. Tests say with ALTPID_RUNNING and ALTPID_SYS that another one runs.

RUNNING=${ALTPID_RUNNING:-$(uname -r)}
SYS=${ALTPID_SYS:-/sys}

# running_headers: the headers of the running kernel, if the module can be built for it.
running_headers() {
	local dir=/lib/modules/$RUNNING/build
	if version_ge "${RUNNING%%[-+]*}" "$KERNEL_MIN" && [ -e "$dir/include/config/auto.conf" ]; then
		echo "$dir"
	fi
}

# built_for MODULE: the release of the kernel that a module was built for.
built_for() {
	modinfo -F vermagic "$1" 2>/dev/null | cut -d ' ' -f 1
}

# is_signed MODULE
is_signed() {
	[ "$(tail -c 28 "$1" | tr -d '\0\n')" = "~Module signature appended~" ]
}

# check_signature MODULE: does the running kernel insist on one?
check_signature() {
	local why='' lockdown
	lockdown=$(sed -n 's/.*\[\(.*\)\].*/\1/p' "$SYS/kernel/security/lockdown" 2>/dev/null || true)
	if [ "$(cat "$SYS/module/module/parameters/sig_enforce" 2>/dev/null)" = Y ]; then
		why="module.sig_enforce is on"
	elif [ -n "$lockdown" ] && [ "$lockdown" != none ]; then
		why="the kernel is locked down ($lockdown; Secure Boot does that)"
	fi
	if [ -z "$why" ]; then
		echo "ok|signatures|the running kernel does not insist on them"
	elif [ -e "$1" ] && is_signed "$1"; then
		echo "ok|signatures|$why, and the module is signed; whether its key is enrolled is seen when it is loaded"
	else
		echo "missing|signatures|$why, and the module is not signed|tools/scripts/sign makes a key and signs with it, and says how the key is enrolled"
	fi
}

# check_running MODULE: lines as check_kdir has them: would the running kernel load it?
check_running() {
	local module=$1 release layout differences
	if ! version_ge "${RUNNING%%[-+]*}" "$KERNEL_MIN"; then
		echo "note|running kernel|$RUNNING is older than $KERNEL_MIN|nothing: make run has a kernel of its own; or install a newer one on this machine"
		return
	fi
	echo "ok|running kernel|$RUNNING"
	if [ -z "$(running_headers)" ]; then
		echo "missing|its headers|there is no /lib/modules/$RUNNING/build|apt install linux-headers-$RUNNING, then make"
	fi
	if [ ! -e "$module" ]; then
		echo "note|module|$module is not built yet|make"
	else
		release=$(built_for "$module")
		if [ "$release" = "$RUNNING" ]; then
			echo "ok|module|built for $release"
		else
			echo "missing|module|built for ${release:-no kernel}, and $RUNNING runs|make KDIR=/lib/modules/$RUNNING/build"
		fi
	fi
	layout=${module%/*}/altpid.layout
	if [ ! -e "$SYS/kernel/btf/vmlinux" ]; then
		echo "missing|types|the running kernel has no /sys/kernel/btf/vmlinux|take a kernel with CONFIG_DEBUG_INFO_BTF=y"
	elif [ -e "$layout" ]; then
		differences=$(cut -d ' ' -f 1 "$layout" | "$ROOT/tools/scripts/btf" "$SYS/kernel/btf/vmlinux" |
			join - "$layout" | awk '$2 != $3 { gsub("__", " ", $1); print $1 " is " $2 ", not " $3 }' | head -n 1)
		if [ -z "$differences" ]; then
			echo "ok|layout|all $(wc -l <"$layout") sizes and offsets are those of the running kernel"
		else
			echo "missing|layout|$differences in the running kernel|make KDIR=/lib/modules/$RUNNING/build"
		fi
	fi
	check_signature "$module"
}
