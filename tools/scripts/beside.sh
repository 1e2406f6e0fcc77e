# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after common.sh: things that are done beside others. Each ends with the script, whatever
# ends that, and has a log of its own, which is shown if it fails.

declare -A BESIDE_PID=() BESIDE_LOG=()

# end_beside: ends what is still going on, with all that it has started.
end_beside() {
	local name
	for name in "${!BESIDE_PID[@]}"; do
		kill -TERM -- "-${BESIDE_PID[$name]}" 2>/dev/null || true
	done
}

# beside NAME COMMAND...: starts it, in a process group of its own. Its log is build/NAME.log.
beside() {
	local name=$1
	shift
	mkdir -p "$OUT"
	say "$name: beside what follows (build/$name.log)"
	BESIDE_LOG[$name]=$OUT/$name.log
	set -m
	"$@" >"${BESIDE_LOG[$name]}" 2>&1 </dev/null &
	BESIDE_PID[$name]=$!
	set +m
	trap end_beside EXIT
}

# finish NAME: waits for it, saying so, and returns its status.
finish() {
	local name=$1 status=0 pid=${BESIDE_PID[$1]} started=$SECONDS
	if kill -0 "$pid" 2>/dev/null; then
		say "$name: not finished yet: $(last_line "$name")"
	fi
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ $((SECONDS - started)) -ge 10 ]; then
			started=$SECONDS
			say "$name: $(last_line "$name")"
		fi
	done
	wait "$pid" || status=$?
	unset "BESIDE_PID[$name]"
	if [ "$status" -ne 0 ]; then
		say "$name failed:"
		tail -n 40 "${BESIDE_LOG[$name]}" >&2
	fi
	return "$status"
}

# last_line NAME: of its log.
last_line() {
	tail -n 1 "${BESIDE_LOG[$1]}" | sed 's/^==> *//; s/^ *//'
}
