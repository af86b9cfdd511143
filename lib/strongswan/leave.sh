#!/bin/sh
# leave.sh: hold up the end of a container while its pod hands its tunnels over; the preStop hook of each container that they need.
#
# Usage: leave.sh CONTAINER [SECONDS]. It says in STATE/leaving/CONTAINER that the container is to end, and waits for
# STATE/leaving/done, SECONDS (600) at most. Of a pod that ends every container named in STATE/leaving/expected says so; one that ends
# alone goes after 5 s.
#
# Environment: STATE (/run/vpn).
set -euf
export LC_ALL=C
umask 077

LEAVING=${STATE:-/run/vpn}/leaving
ALONE_SECONDS=5

all_leave() {
	expected=''
	{ read -r expected <"$LEAVING/expected"; } 2>/dev/null || :
	[ -n "$expected" ] || return 1
	for container in $expected; do
		[ -e "$LEAVING/$container" ] || return 1
	done
}

main() {
	most=${2:-600} waited=0
	mkdir -p "$LEAVING"
	: >"$LEAVING/$1"
	while [ ! -e "$LEAVING/done" ] && [ "$waited" -lt "$most" ]; do
		[ "$waited" -lt "$ALONE_SECONDS" ] || all_leave || return 0
		sleep 1
		waited=$((waited + 1))
	done
}

main "$@"
