# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after common.sh: which packages are needed, on which Debian, and why.

# Two sets: the least is for the module, the command and a distribution's own kernel, so that
# the first make run has less to fetch; all is what the test kernel and the checks need besides.

# rust_packages: Debian 12 keeps a current Rust under names of its own.
rust_packages() {
	if apt-cache show rustc-web >/dev/null 2>&1; then
		echo 'rustc-web|Rust compiler'
		echo 'rust-web-src|Rust library source, the kernel builds core from it'
		echo 'cargo-web|builds the tools'
		echo 'rustfmt-web|bindgen and make check format with it'
	else
		echo 'rustc|Rust compiler'
		echo 'rust-src|Rust library source, the kernel builds core from it'
		echo 'cargo|builds the tools'
		echo 'rustfmt|bindgen and make check format with it'
	fi
}

# clippy_package: it goes by the same names.
clippy_package() {
	if apt-cache show rustc-web >/dev/null 2>&1; then
		echo 'rust-web-clippy|make check'
	else
		echo 'rust-clippy|make check'
	fi
}

# bindgen_package: where the packaged bindgen is recent enough.
bindgen_package() {
	local version
	version=$(apt-cache policy bindgen 2>/dev/null | sed -n 's/^ *Candidate: *//p')
	if version_ge "${version%%-*}" "$BINDGEN_MIN"; then
		echo 'bindgen|bindings of the kernel for Rust'
	fi
}

# llvm_version: 19 where it is packaged, else the newest.
llvm_version() {
	local major=19
	if ! apt-cache show clang-19 >/dev/null 2>&1; then
		major=$(apt-cache pkgnames clang- | sed -n 's/^clang-\([0-9]\+\)$/\1/p' | sort -rn | head -n 1)
	fi
	echo "$major"
}

# least_packages: as "name|purpose".
least_packages() {
	local major
	major=$(llvm_version)
	rust_packages
	bindgen_package
	echo "libclang1-$major|bindgen parses C with it"
	echo "libclang-common-$major-dev|the same: headers of a compiler"
	cat <<-'END'
		make|kernel build
		gcc|kernel build
		libc6-dev|the same, and the static tools
		flex|kernel build
		bison|kernel build
		bc|kernel build
		perl|kernel build
		python3|comparing types, test reports
		libelf-dev|kernel build: objtool
		libssl-dev|kernel build
		xz-utils|unpacking the kernel source
		zstd|unpacking the kernel of the distribution
		ca-certificates|fetching sources
		debian-archive-keyring|checking what was fetched
		cpio|the guest's file system
		busybox-static|the guest's programs
		kmod|module tools of the kernel build
		qemu-system-x86|the virtual machine
		util-linux|flock, unshare
	END
}

# packages: all of them.
packages() {
	local major
	major=$(llvm_version)
	least_packages
	clippy_package
	echo "clang-$major|C compiler of the test kernel"
	echo "lld-$major|its linker"
	echo "llvm-$major|its object tools"
	echo "libclang-$major-dev|the same"
	echo 'shellcheck|make check'
	echo 'strace|make bench compares with it'
	! apt-cache show proot >/dev/null 2>&1 || echo 'proot|the same'
}

# missing_packages [packages|least_packages]: those of a set that are not installed. What was
# given by path (RUSTC=, ...) is not asked of the distribution.
missing_packages() {
	local set=${1:-packages} installed
	command -v dpkg-query >/dev/null || return 0
	# A list that was complete stays so until dpkg changes something.
	local memo=$CACHE/$set-complete
	if [ -e "$memo" ] && [ ! /var/lib/dpkg/status -nt "$memo" ] &&
	   [ ! "$ROOT/tools/scripts/packages.sh" -nt "$memo" ]; then
		return
	fi
	installed=$(dpkg-query -W -f '${Package}|${db:Status-Status}|${Provides}\n' |
		awk -F '|' '$2 == "installed" { print $1; gsub(/ \([^)]*\)|,/, "", $3); print $3 }' |
		tr ' ' '\n')
	local name purpose missing=
	while IFS='|' read -r name purpose; do
		if ! grep -qxF "$name" <<<"$installed"; then
			echo "$name|$purpose"
			missing=1
		fi
	done < <("$set")
	if [ -z "$missing" ]; then
		mkdir -p "$CACHE"
		touch "$memo"
	fi
}
