# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for those who source it
#
# Sourced by the other scripts: where things are, which tools are used, and how
# to say something.

if [ -z "${HOME:-}" ]; then
	HOME=$(getent passwd "$(id -u)" | cut -d : -f 6)
	export HOME
fi
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OUT=$ROOT/build
CACHE=${ALTPID_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/altpid}
HOST_TARGET=$(uname -m)-unknown-linux-gnu

# DEBUG=1: the debug kernel, and modules and results beside those of the other.
[ "${DEBUG:-}" != 0 ] || DEBUG=
DEBUG=${DEBUG:-}


# Which kernel, where KERNEL does not say: the test kernel, or a distribution's own for the
# scripts that set DEFAULT_KERNEL. A source or a tree of one's own and the debug kernel are
# never a distribution's. Each kernel has modules of its own.
if [ -z "${KERNEL:-}" ]; then
	KERNEL=7.3-test
	[ -n "$DEBUG${KERNEL_SRC:-}${KDIR:-}" ] || KERNEL=${DEFAULT_KERNEL:-7.3-test}
fi
export KERNEL
MODULES=$OUT/module
if [ "$KERNEL" != 7.3-test ] && [ -z "${KDIR:-}${KERNEL_SRC:-}" ]; then
	MODULES+=-$KERNEL
fi
MODULES+=${DEBUG:+-debug}

# is_test_kernel: is the kernel one that is built here, and not a distribution's own?
is_test_kernel() {
	[[ $KERNEL == *-test || -n ${KERNEL_SRC:-} || ${KERNEL_ARCH:-} = um ]]
}

# bindgen: the oldest that will do, and the one that is built when the
# distribution's is older. Those before 0.72 do not evaluate the _IO() macros
# when the kernel's headers are included, and leave the commands out.
BINDGEN_MIN=0.72.0
BINDGEN_PIN=0.73.2

# Rust tools are called by path: a rustup toolchain that comes first in PATH
# may lack the library source and is not the one that built the kernel.
export RUSTC=${RUSTC:-/usr/bin/rustc}
export RUSTDOC=${RUSTDOC:-/usr/bin/rustdoc}
export RUSTFMT=${RUSTFMT:-/usr/bin/rustfmt}
export CARGO=${CARGO:-/usr/bin/cargo}
CARGO_CLIPPY=${CARGO_CLIPPY:-/usr/bin/cargo-clippy}
CARGO_FMT=${CARGO_FMT:-/usr/bin/cargo-fmt}
CLIPPY_DRIVER=${CLIPPY_DRIVER:-/usr/bin/clippy-driver}

export LC_ALL=C.UTF-8
unset MAKEFLAGS MAKELEVEL MFLAGS

# say TEXT...: one line about what is being done.
say() {
	printf '==> %s\n' "$*" >&2
}

# die TEXT...: what is wrong, and what to do about it; each argument is a line.
die() {
	printf '%s\n' "$@" | sed -e '1s/^/altpid: /' -e '1!s/^/        /' >&2
	exit 1
}

# setup_command: what installs what is missing; with the cache, where that is another.
setup_command() {
	if [ -n "${ALTPID_CACHE:-}" ]; then
		echo "make -C $ROOT setup ALTPID_CACHE=$ALTPID_CACHE"
	else
		echo "make setup"
	fi
}

# version_ge A B: is version A at least B?
version_ge() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# duration SECONDS: as minutes and seconds.
duration() {
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# bindgen_version PATH: the version it says it is.
bindgen_version() {
	"$1" --version 2>/dev/null | awk '{ print $2 }'
}

# find_bindgen: the path of a bindgen that is recent enough, or nothing.
find_bindgen() {
	local candidate
	for candidate in "${BINDGEN:-}" /usr/bin/bindgen "$CACHE/tools/bindgen-$BINDGEN_PIN/bin/bindgen"; do
		if [ -n "$candidate" ] && [ -x "$candidate" ] &&
		   version_ge "$(bindgen_version "$candidate")" "$BINDGEN_MIN"; then
			printf '%s\n' "$candidate"
			return
		fi
	done
}

# find_llvm: the suffix (-19) of the clang the test kernel is built with: 19 if
# it is there, else the newest that is complete; or nothing.
find_llvm() {
	local major
	for major in 19 $(compgen -c clang- | sed -n 's/^clang-\([0-9]\+\)$/\1/p' | sort -rnu); do
		if command -v "clang-$major" && command -v "ld.lld-$major" &&
		   command -v "llvm-nm-$major" && [ -e "/usr/lib/llvm-$major/lib/libclang.so" ]
		then
			printf -- '-%s\n' "$major" >&3
			return
		fi
	done 3>&1 >/dev/null
}

# rust_make_args: sets RUST_MAKE_ARGS, what every kernel make needs about Rust.
rust_make_args() {
	BINDGEN=$(find_bindgen)
	export BINDGEN
	RUST_MAKE_ARGS=(RUSTC="$RUSTC" RUSTDOC="$RUSTDOC" RUSTFMT="$RUSTFMT"
		BINDGEN="$BINDGEN" CLIPPY_DRIVER="$CLIPPY_DRIVER")
	# bindgen loads libclang by itself: the one of the clang that is used.
	local llvm
	llvm=${LLVM:-$(find_llvm)}
	if [ -d "/usr/lib/llvm$llvm/lib" ]; then
		export LIBCLANG_PATH=${LIBCLANG_PATH:-/usr/lib/llvm$llvm/lib}
	fi
}
