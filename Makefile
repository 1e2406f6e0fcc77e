# SPDX-License-Identifier: GPL-2.0
#
# What can be done here; "make help" lists it. The kernel's build system reads
# Kbuild, not this file.

.DEFAULT_GOAL := all
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Variables given to make reach the scripts through the environment.
export KDIR KERNEL KERNEL_SRC STOCK SHORT SUITE BTF SIGN_KEY SIGN_CERT DEBUG TEST TIMES OPS SEED MEMBERS
export ACCEL CPUS MEMORY LLVM
export RUSTC RUSTDOC RUSTFMT CARGO BINDGEN QEMU

# Each verb does all it needs by itself.
.NOTPARALLEL:
.PHONY: all load unload dkms deb test-deb run test suites oracle torture bench check shell doctor setup rust-analyzer clean help

all:
	@tools/scripts/build --setup

load:
	@tools/scripts/load $(PARAMETERS)

unload:
	@tools/scripts/load --unload

dkms:
	@tools/scripts/dkms

deb:
	@tools/scripts/setup --least
	@tools/scripts/deb

test-deb:
	@tools/scripts/setup --least
	@tools/scripts/test-deb

run:
	@qemu/run

test:
	@qemu/test

suites:
	@qemu/suites $(SUITES)

torture:
	@qemu/torture $(or $(SECONDS),600) $(UNLOADS)

oracle:
	@qemu/oracle

bench:
	@qemu/bench

check:
	@tools/scripts/setup
	@tools/scripts/check

shell:
	@qemu/shell $(FILES)

doctor:
	@tools/scripts/doctor

setup:
	@tools/scripts/setup

rust-analyzer:
	@tools/scripts/setup
	@tools/scripts/rust-analyzer

clean:
	rm -rf build rust-project.json

help:
	@echo 'The main job:'
	@echo '  make run            Capture the processes of this machine, boot a kernel with altpid,'
	@echo '                      restore them in there with the numbers they have, and compare'
	@echo '  make test           Run all tests, on this machine and in the booted kernel'
	@echo
	@echo 'Everyday:'
	@echo '  make                Build the module and the tools'
	@echo '  sudo make load      Load it into the kernel of this machine; sudo make unload'
	@echo '  sudo make dkms      Register it with DKMS, which builds it for later kernels, too'
	@echo '  make deb            Debian packages of the command and the module; make test-deb tries them'
	@echo '  make oracle         Compare altpid with the kernel itself: random operations by real'
	@echo '                      processes and by virtual tasks, in the booted kernel'
	@echo '  make suites         Programs and test suites of others, natively and in a world; those that'
	@echo '                      make test does not run as well; SUITES="shells procps" only these'
	@echo '  make bench          Measure altpid beside the kernel itself, in the booted kernel'
	@echo '  make torture        Do everything at random in the booted kernel: SECONDS=600 UNLOADS=0'
	@echo '  make check          Formatting, lints, style'
	@echo '  make shell          A prompt in the booted kernel with the module loaded, the scenarios and'
	@echo '                      a snapshot; FILES="a b" brings files along'
	@echo '  make doctor         What this machine has and lacks'
	@echo '  make setup          Install what is missing (the others do this themselves)'
	@echo '  make rust-analyzer  Write rust-project.json for editors'
	@echo '  make clean          Remove what was built here (not the cached kernel)'
	@echo
	@echo 'Variables:'
	@echo '  KERNEL=7.2          Debian'"'"'s own kernel of that version (make run, make shell: 7.3)'
	@echo '                      (7.3-rt with PREEMPT_RT, 7.3-cloud)'
	@echo '  KERNEL=7.3-foreign  A small kernel without Rust and with checksums of symbols, built here'
	@echo '  KERNEL=7.2-test     The test kernel of that version, built here (the others: 7.3-test)'
	@echo '  KDIR=/path          Build the module for this kernel: its headers, or a tree it was built in'
	@echo '  KERNEL_SRC=/path    The test kernel: a source tree of your own'
	@echo '  DEBUG=1             The debug kernel: KASAN, lockdep, kmemleak, injected failures'
	@echo '  TEST=text           make test: only tests with this in their name'
	@echo '  STOCK=7.3           make test: all but KUnit in Debian'"'"'s own kernel as well'
	@echo '  SHORT=1             ... in there without what takes longest (6 minutes of CPU)'
	@echo '  SUITE=/path/to/ltp  make suites: a built LTP, which is run as well'
	@echo '  TIMES=10            make test: what counts in the kernel does so many times as much'
	@echo '  OPS=100000 SEED=1   make oracle: how many operations, and which'
	@echo '  MEMBERS=1           make oracle: real processes as members instead of virtual tasks'
	@echo '  ACCEL=kvm|tcg       The guest: how it runs (default: kvm if it works)'
	@echo '  RUSTC= CARGO= BINDGEN= LLVM=-19    Tools, if not those of the distribution'
	@echo '  ALTPID_CACHE=/path  Where kernels and tools are kept (default ~/.cache/altpid)'
