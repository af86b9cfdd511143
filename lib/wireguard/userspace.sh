#!/bin/sh
# userspace.sh: wait until server.sh has found that the kernel has no WireGuard, then become the userspace one.
#
# Environment: INTERFACE (wg0), WIREGUARD_GO (wireguard-go). For tests only: TEST_ROOT stands before /run, TEST_KERNEL before /dev.
set -eu
export LC_ALL=C

PROGRAM=${0##*/}
INTERFACE=${INTERFACE:-wg0}
WIREGUARD_GO=${WIREGUARD_GO:-wireguard-go}
WANTED=${TEST_ROOT:-}/run/vpn-userspace/wanted
SLEEPER=''

log() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() {
	log "$*"
	exit 1
}

finish() {
	[ -z "$SLEEPER" ] || kill "$SLEEPER" 2>/dev/null || :
	exit 0
}

main() {
	case $INTERFACE in
	'' | . | .. | *[!a-zA-Z0-9_=+.-]* | ????????????????*) die "INTERFACE is not the name of an interface: $INTERFACE" ;;
	esac
	command -v "$WIREGUARD_GO" >/dev/null || die "the image has no command $WIREGUARD_GO"
	trap finish TERM INT
	while [ ! -e "$WANTED" ]; do
		sleep 1 &
		SLEEPER=$!
		wait "$SLEEPER" || :
	done
	[ -e "${TEST_KERNEL:-}/dev/net/tun" ] || die "there is no /dev/net/tun in this container: mount the node's"
	log "run $WIREGUARD_GO for $INTERFACE"
	exec "$WIREGUARD_GO" -f "$INTERFACE"
}

main "$@"
