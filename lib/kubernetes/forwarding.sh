#!/bin/sh
# forwarding.sh: turn on IP forwarding in this pod; look first and write only what is off. Runs once, privileged.
#
# Environment: FORWARD_IPV4, FORWARD_IPV6 (true or false); SETTINGS: further sysctls, as NAME=VALUE with blanks between them. For tests only: TEST_KERNEL stands before /proc.
set -eu
export LC_ALL=C

PROGRAM=${0##*/}
SYSCTL=${TEST_KERNEL:-}/proc/sys/net

log() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() {
	log "$*"
	exit 1
}

# value FILE: what the file says, or nothing.
value() {
	found=''
	{ read -r found <"$1"; } 2>/dev/null || :
	printf '%s' "$found"
}

# forward SWITCH FILE NAME
forward() {
	case $1 in
	false) return 0 ;;
	true) ;;
	*) die "FORWARD_IPV4 and FORWARD_IPV6 must be true or false, not: $1" ;;
	esac
	[ -e "$2" ] || die "this node has no $3: its kernel runs without that protocol"
	if [ "$(value "$2")" = 1 ]; then
		log "$3 is 1 already"
		return 0
	fi
	{ printf '1\n' >"$2"; } 2>/dev/null || :
	[ "$(value "$2")" = 1 ] || die "cannot set $3: the container must be privileged;" \
		"where that is not allowed, set the value ipForwarding.method to sysctl or assume"
	log "set $3 to 1"
}

# set_to NAME=VALUE
set_to() {
	name=${1%%=*} wanted=${1#*=}
	file=$SYSCTL/$(printf '%s' "${name#net.}" | tr . /)
	[ "$(value "$file")" != "$wanted" ] || return 0
	{ printf '%s\n' "$wanted" >"$file"; } 2>/dev/null || :
	[ "$(value "$file")" = "$wanted" ] || die "cannot set $name to $wanted: the container must be privileged, and the kernel must have it"
	log "set $name to $wanted"
}

main() {
	forward "${FORWARD_IPV4:-false}" "$SYSCTL/ipv4/ip_forward" net.ipv4.ip_forward
	forward "${FORWARD_IPV6:-false}" "$SYSCTL/ipv6/conf/all/forwarding" net.ipv6.conf.all.forwarding
	for setting in ${SETTINGS:-}; do set_to "$setting"; done
}

main "$@"
