# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for those who source it
#
# Sourced after common.sh: can Rust modules be built against a kernel tree, and
# with what arguments?

KERNEL_MIN=7.2

# config KDIR NAME: the value of a symbol in a configured tree, without quotes.
config() {
	sed -n "s/^CONFIG_$2=\"\?\([^\"]*\)\"\?\$/\1/p" "$1/include/config/auto.conf" 2>/dev/null
}

# kernel_release KDIR: the release of a built tree.
kernel_release() {
	cat "$1/include/config/kernel.release" 2>/dev/null || true
}

# headers_release HEADERS: the release of the kernel that a headers package is for.
headers_release() {
	sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$1/include/generated/utsrelease.h" 2>/dev/null || true
}

# is_headers DIR: is it a kernel without its Rust crates, as distributions package headers?
is_headers() {
	[ -e "$1/include/config/auto.conf" ] && [ ! -e "$1/rust/libkernel.rmeta" ] &&
		[ -e "$1/Module.symvers" ] && [ -e "$1/include/generated/autoconf.h" ]
}

# check_headers HEADERS: lines as check_kdir has them, for what a headers package says.
check_headers() {
	local headers=$1 release
	release=$(headers_release "$headers")
	if version_ge "${release%%[-+]*}" "$KERNEL_MIN"; then
		echo "ok|kernel version|$release"
	else
		echo "missing|kernel version|${release:-unknown} in $headers|altpid needs $KERNEL_MIN or newer"
	fi
	if [ "$(config "$headers" MODULES)" != y ]; then
		echo "missing|kernel configuration|CONFIG_MODULES is not set in $headers|take another kernel"
	fi
	if [ "$(config "$headers" X86_64)" != y ]; then
		echo "missing|kernel configuration|$headers is not for x86_64|the crates are linked in on x86_64 only: give a tree in which the kernel was built"
	fi
	if [ "$(config "$headers" CC_IS_GCC)" != y ]; then
		echo "missing|kernel configuration|$release was built by $(config "$headers" CC_VERSION_TEXT)|only kernels built by gcc can have the crates linked in: give a tree in which the kernel was built"
	fi
	if [ ! -e "$headers/.config" ]; then
		echo "missing|kernel configuration|no .config in $headers|install the whole headers package"
	fi
}

# has_linked_crates TREE: was the tree prepared from headers? The module has the crates in it then.
has_linked_crates() {
	[ -e "$1/.linked-crates" ]
}

# needs_least: is the module for a kernel whose crates are linked in, so that nothing of the test kernel's
# tools is needed?
needs_least() {
	if [ -n "${KDIR:-}" ]; then
		is_headers "$KDIR"
	else
		! is_test_kernel
	fi
}

# make_crates SOURCE TREE ARGS...: the kernel's make for a tree that is prepared from headers: its crates, each
# function in a section of its own, since altpid links in what it reaches (see Kbuild). The compiler is gcc:
# the helpers need its -fwhole-program. No types are made of the module, whether there is a pahole or not.
# Nor are checksums made (CONFIG_MODVERSIONS): those are of what is exported, and the crates are not; what
# altpid.ko imports has its checksum in Module.symvers.
make_crates() {
	make -C "$1" O="$2" CC=gcc PAHOLE=none "${RUST_MAKE_ARGS[@]}" KRUSTFLAGS=-Zfunction-sections=y \
		CONFIG_MODVERSIONS='' CONFIG_GENKSYMS='' CONFIG_GENDWARFKSYMS='' -j"$(nproc)" "${@:3}" modules_prepare
}

# tree_for OPTION: the tree to build against: that of KDIR, made from it if it holds headers only, or
# that of KERNEL. With --find it is printed if it is there, and nothing is made; with --fetch what it is
# made of is downloaded.
tree_for() {
	local kdir
	if [ -z "${KDIR:-}" ]; then
		"$ROOT/qemu/kernel" ${1:+"$1"}
		return
	fi
	kdir=$(realpath -m -- "$KDIR")
	if is_headers "$kdir"; then
		"$ROOT/tools/scripts/prepare-headers" ${1:+"$1"} "$kdir"
	elif [ "$1" != --fetch ]; then
		printf '%s\n' "$kdir"
	fi
}

target_tree() { tree_for ''; }
find_tree() { tree_for --find; }

# compiler_of KDIR: the arguments that name the C compiler which built the
# tree; nothing if it is not installed.
compiler_of() {
	local kdir=$1 text command major
	text=$(config "$kdir" CC_VERSION_TEXT)
	if [ "$(config "$kdir" CC_IS_CLANG)" = y ]; then
		major=$(($(config "$kdir" CLANG_VERSION) / 10000))
		for command in "clang-$major" clang; do
			[ "$("$command" --version 2>/dev/null | head -n 1)" = "$text" ] || continue
			if [ "$(config "$kdir" LD_IS_LLD)" = y ]; then
				command=${command#clang}
				echo "LLVM=${command:-1}"
			else
				echo "CC=$command"
			fi
			return
		done
	else
		major=$(($(config "$kdir" GCC_VERSION) / 10000))
		for command in "${text%% *}" "gcc-$major" gcc; do
			# The text begins with the name the compiler was called by.
			[ "$("$command" --version 2>/dev/null | head -n 1 | cut -d ' ' -f 2-)" = "${text#* }" ] || continue
			echo "CC=$command"
			return
		done
	fi
}

# check_kdir KDIR: one line "ok|what|detail" or "missing|what|detail|remedy" for
# each thing a tree must have; it stops where the rest makes no sense.
check_kdir() {
	local kdir=$1 release built ours compiler
	local rebuild="build the tree again with this rustc, or give the one that built it as RUSTC=/path"
	if [ ! -e "$kdir/include/config/auto.conf" ] || [ ! -e "$kdir/Makefile" ]; then
		echo "missing|kernel tree|$kdir is not a configured and built kernel tree|give the build directory (O=) of a kernel as KDIR=, or leave KDIR out"
		return
	fi
	release=$(kernel_release "$kdir")
	if version_ge "${release%%[-+]*}" "$KERNEL_MIN"; then
		echo "ok|kernel version|$release"
	else
		echo "missing|kernel version|${release:-unknown} in $kdir|altpid needs $KERNEL_MIN or newer"
	fi
	if [ "$(config "$kdir" RUST)" = y ] && [ "$(config "$kdir" MODULES)" = y ]; then
		echo "ok|kernel configuration|CONFIG_RUST=y CONFIG_MODULES=y"
	else
		echo "missing|kernel configuration|CONFIG_RUST=y or CONFIG_MODULES=y is not set in $kdir|configure the kernel with both (make rustavailable says what it lacks) and build it"
		return
	fi
	if [ ! -e "$kdir/rust/libcore.rmeta" ] || [ ! -e "$kdir/rust/libkernel.rmeta" ]; then
		echo "missing|Rust metadata|no rust/libkernel.rmeta in $kdir: headers as distributions package them cannot build Rust modules|give a tree in which the kernel was built as KDIR=, or leave KDIR out"
		return
	fi
	echo "ok|Rust metadata|rust/libkernel.rmeta"
	if [ -e "$kdir/Module.symvers" ]; then
		echo "ok|exported symbols|Module.symvers"
	else
		echo "missing|exported symbols|no Module.symvers in $kdir: its build has not finished|run make in that tree"
	fi
	built=$(head -c 4096 "$kdir/rust/libcore.rmeta" | tr -c '[:print:]' '\n' | grep -o -m 1 'rustc [0-9].*' || true)
	ours=$("$RUSTC" -V 2>/dev/null || true)
	if [ -z "$ours" ]; then
		echo "missing|same rustc|no rustc at $RUSTC|run make setup, or give RUSTC=/path"
	elif head -c 4096 "$kdir/rust/libcore.rmeta" | grep -qaF "$ours"; then
		echo "ok|same rustc|$ours"
	else
		echo "missing|same rustc|the tree was built by ${built:-another rustc}, $RUSTC is $ours|$rebuild"
	fi
	compiler=$(compiler_of "$kdir")
	if [ -n "$compiler" ]; then
		echo "ok|same C compiler|$(config "$kdir" CC_VERSION_TEXT) ($compiler)"
	else
		echo "missing|same C compiler|the tree was built by $(config "$kdir" CC_VERSION_TEXT), which is not here|install that compiler, or build the tree again"
	fi
}

# kdir_make_args KDIR: sets KDIR_MAKE_ARGS, what make must be given for a tree.
# The environment is not enough: the kernel's Makefile sets these itself.
kdir_make_args() {
	local compiler
	compiler=$(compiler_of "$1")
	[[ $compiler != LLVM=-* ]] || LLVM=${compiler#LLVM=}
	rust_make_args
	KDIR_MAKE_ARGS=("${RUST_MAKE_ARGS[@]}")
	[ -z "$compiler" ] || KDIR_MAKE_ARGS+=("$compiler")
	! has_linked_crates "$1" || KDIR_MAKE_ARGS+=(ALTPID_CRATES=linked)
	# A pahole that has been installed since would be complained about.
	[ "$(config "$1" PAHOLE_VERSION)" != 0 ] || KDIR_MAKE_ARGS+=(PAHOLE=none)
	# User Mode Linux loads modules where it likes, and cannot relocate what goes by a table of
	# offsets; C is built like this there.
	[ "$(config "$1" UML)" != y ] ||
		KDIR_MAKE_ARGS+=(ARCH=um KRUSTFLAGS="-Crelocation-model=static -Ccode-model=large")
}
