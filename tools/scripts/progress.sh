# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after common.sh: how far a kernel's make is, and apt.

# progress LOG STEPS: reads what make prints, logs it, and shows how far it is when it
# prints about so many steps.
progress() {
	local log=$1 expected=$2 line steps=0 percent shown=-1 started=$SECONDS tty=
	[ -t 2 ] && tty=1
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$log"
		[[ $line =~ ^\ \ [A-Z] ]] || continue
		steps=$((steps + 1))
		percent=$((steps * 100 / expected))
		[ "$percent" -lt 99 ] || percent=99
		if [ -n "$tty" ] && { [ "$expected" -lt 500 ] || [ $((steps % 4)) -eq 0 ]; }; then
			printf '\r    %2d %%  %s  %-50.50s' "$percent" "$(duration $((SECONDS - started)))" "$line" >&2
		elif [ -z "$tty" ] && [ $((percent / 10)) -ne "$shown" ]; then
			shown=$((percent / 10))
			printf '    %2d %%  %s\n' "$percent" "$(duration $((SECONDS - started)))" >&2
		fi
	done
	[ -z "$tty" ] || printf '\r%-80s\r' '' >&2
}

# apt_progress: reads what apt says to its status descriptor, and shows how far it is.
apt_progress() {
	local kind percent what shown='' now tty=
	[ -t 2 ] && tty=1
	while IFS=: read -r kind _ percent _; do
		case $kind in
		dlstatus) what=downloading ;;
		pmstatus) what=unpacking ;;
		*) continue ;;
		esac
		percent=${percent%%.*}
		now="$what $((percent / 10))"
		if [ -n "$tty" ]; then
			printf '\r    %2d %%  %-20s' "$percent" "$what" >&2
		elif [ "$now" != "$shown" ] && [ "$percent" -lt 100 ]; then
			printf '    %2d %%  %s\n' "$percent" "$what" >&2
		fi
		shown=$now
	done
	[ -z "$tty" ] || printf '\r%-40s\r' '' >&2
}
