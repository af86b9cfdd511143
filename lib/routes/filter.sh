#!/bin/sh
# filter.sh: keep the packet filter of the route agent on its node, as long as agent.py wants it.
#
# Environment: LINK, after which the table is named, CONFIG (/config), STATE (/run/vpn), POLL_SECONDS (2), ASSERT_SECONDS (10),
# END_SECONDS (40). agent.py writes into STATE: mtu, the bytes of a packet on the link, without which there is no filter; gateways, the
# addresses of the gateways' pods; clean, the links whose tables have to go; kept, when all stays as it is at the end.
set -euf
export LC_ALL=C
umask 077

PROGRAM=${0##*/}
LINK=${LINK:?give the name of the link}
CONFIG=${CONFIG:-/config}
STATE=${STATE:-/run/vpn}
POLL_SECONDS=${POLL_SECONDS:-2}
ASSERT_SECONDS=${ASSERT_SECONDS:-10}
END_SECONDS=${END_SECONDS:-40} # how long to wait at the end for what agent.py says

RUN=$STATE/filter
IPV4_TCP_BYTES=40 IPV6_TCP_BYTES=60 # what headers take of a packet: the rest is the largest segment

REASON=''   # why the last step failed
LOGGED=''   # the state that was logged last
SLEEPER=''
ENDING=''   # when it ends at the latest, once it has to
ASSERTED=0  # when the table was last compared

log() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }

# try WHAT COMMAND...: on failure REASON is one line.
try() {
	what=$1
	shift
	complaint=$("$@" 2>&1) && return 0
	complaint=$(printf '%s\n' "$complaint" | sed -n '1,2p' | tr -s '\n\t ' ' ')
	REASON="cannot $what: ${complaint% }"
	return 1
}

# Sleep so that a signal ends it at once.
pause() {
	sleep "$1" &
	SLEEPER=$!
	wait "$SLEEPER" || :
	SLEEPER=''
}

# What agent.py sees: ok, or why not. Written each time, since a stale file counts as a failure.
status() {
	printf '%s\n' "$1" >"$RUN/status.new"
	mv -f "$RUN/status.new" "$RUN/status"
	[ "$1" = "$LOGGED" ] || log "$1"
	LOGGED=$1
}

now() { date +%s; }

# The table as it is, without what counts.
listing() { nft -s list table inet "$LINK" 2>/dev/null; }

# The file and the addresses are one transaction: there is no moment without either.
compose() {
	cat "$CONFIG/nftables.conf"
	printf 'flush set inet %s gateways\n' "$LINK"
	while read -r address; do printf 'add element inet %s gateways { %s }\n' "$LINK" "$address"; done <"$RUN/gateways"
}

apply() {
	try "read $CONFIG" cp -f "$CONFIG/nftables.conf" "$RUN/nftables" || return 1
	: >"$RUN/gateways"
	[ ! -e "$STATE/gateways" ] || try "read $STATE" cp -f "$STATE/gateways" "$RUN/gateways" || return 1
	read -r mtu <"$STATE/mtu"
	compose >"$RUN/wanted"
	try 'load the packet filter' nft -D "mss4=$((mtu - IPV4_TCP_BYTES))" -D "mss6=$((mtu - IPV6_TCP_BYTES))" -f "$RUN/wanted" || return 1
	printf '%s\n' "$mtu" >"$RUN/mtu"
	listing >"$RUN/listing"
	ASSERTED=$(now)
}

# Whether all is as it was applied, and nothing else is wanted.
is_applied() {
	cmp -s "$CONFIG/nftables.conf" "$RUN/nftables" || return 1
	cmp -s "$STATE/mtu" "$RUN/mtu" || return 1
	[ ! -e "$STATE/gateways" ] || cmp -s "$STATE/gateways" "$RUN/gateways" || return 1
	[ $(($(now) - ASSERTED)) -ge "$ASSERT_SECONDS" ] || return 0
	listing | cmp -s - "$RUN/listing" || return 1
	ASSERTED=$(now)
}

remove() {
	rm -f "$RUN/nftables"
	while read -r link; do
		nft list table inet "$link" >/dev/null 2>&1 || continue
		log "remove the table inet $link"
		try "remove the table inet $link" nft delete table inet "$link" || return 1
	done <"$STATE/clean"
	cp -f "$STATE/clean" "$RUN/cleaned"
	mv -f "$RUN/cleaned" "$STATE/cleaned"
}

tick() {
	if [ -e "$STATE/clean" ]; then
		cmp -s "$STATE/clean" "$STATE/cleaned" || remove || {
			status "$REASON"
			return
		}
		status 'removed'
	elif [ ! -e "$STATE/mtu" ]; then
		status 'the agent does not want it yet'
	elif is_applied || apply; then
		status ok
	else
		status "$REASON"
	fi
}

# Whether agent.py, which ends at the same time, needs nothing more.
is_over() {
	[ -n "$ENDING" ] || return 1
	[ ! -e "$STATE/kept" ] || return 0
	[ ! -e "$STATE/cleaned" ] || return 0
	[ "$(now)" -ge "$ENDING" ]
}

main() {
	mkdir -p "$RUN"
	rm -f "$RUN/nftables"
	trap 'ENDING=$(($(now) + END_SECONDS)); kill -KILL $SLEEPER 2>/dev/null || :' TERM INT
	while :; do
		tick
		if is_over; then exit 0; fi
		pause "$POLL_SECONDS"
	done
}

main "$@"
