#!/bin/sh
# network.sh: keep the pod's network as the mounted files say: XFRM interfaces, routes, and the packet filter.
#
# Usage: network.sh once | watch. Environment: CONFIG (/config), STATE (/run/vpn), POLL_SECONDS (2). For tests only: TEST_KERNEL stands
# before /sys.
set -euf
export LC_ALL=C
umask 077

PROGRAM=${0##*/}
CONFIG=${CONFIG:-/config}
STATE=${STATE:-/run/vpn}
POLL_SECONDS=${POLL_SECONDS:-2}

RUN=$STATE/network
NET=${TEST_KERNEL:-}/sys/class/net
PROTOCOL=86              # the protocol number of routes that this script made
LAST_METRIC=4278198272   # of routes that hold a network while its tunnel's interface is away
IPV4_TCP_BYTES=40 IPV6_TCP_BYTES=60 # what headers take of a packet: the rest is the largest segment

VXLAN_BYTES=50                       # what VXLAN adds to a packet, over IPv4 (RFC 7348)

REASON=''  # why the last step failed
LOGGED=''  # the state that was logged last
SLEEPER=''

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

# What charon and control.py see: ok, or why not. Written each time, since a stale file counts as a failure.
status() {
	printf '%s\n' "$1" >"$RUN/status.new"
	mv -f "$RUN/status.new" "$RUN/status"
	[ "$1" = "$LOGGED" ] || log "$1"
	LOGGED=$1
}

# The MTU of the interface by which the pod reaches everything else.
outer_mtu() {
	device=$(ip -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p;q')
	[ -n "$device" ] || device=$(ip -o -6 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p;q')
	OUTER=''
	[ -z "$device" ] || read -r OUTER <"$NET/$device/mtu" || :
	case $OUTER in
	'' | *[!0-9]*)
		REASON='cannot find the MTU of the pod: it has no default route'
		return 1
		;;
	esac
}

# Read the wanted network: interfaces and routes into files of one thing a line, and the MTU of the smallest tunnel into SMALLEST.
read_network() {
	outer_mtu || return 1
	SMALLEST=$OUTER
	mtu=$OUTER interface=''
	for list in links addresses routes; do : >"$RUN/$list"; done
	while read -r word first second; do
		case $word in
		overhead) mtu=$(((OUTER - first) / second * second - 2)) ;;
		mtu) mtu=$first ;;
		most) [ "$mtu" -le "$first" ] || mtu=$first ;;
		overlay)
			[ "$first" -gt 0 ] || first=$((OUTER - VXLAN_BYTES))
			[ "$first" -ge "$SMALLEST" ] || SMALLEST=$first
			continue
			;;
		interface)
			interface=$first
			printf '%s %s %s\n' "$interface" "$second" "$mtu" >>"$RUN/links"
			;;
		address)
			printf '%s dev %s\n' "$first" "$interface" >>"$RUN/addresses"
			printf '%s dev %s\n' "$second" "$interface" >>"$RUN/routes"
			;;
		route) printf '%s dev %s\n%s unreachable\n' "$first" "$interface" "$first" >>"$RUN/routes" ;;
		esac
		[ "$mtu" -ge "$SMALLEST" ] || SMALLEST=$mtu
	done <"$RUN/network.wanted"
	sort -u -o "$RUN/routes" "$RUN/routes"
}

# The packet filter comes first: what is for a remote network never passes outside its tunnel.
filter() {
	try 'load the packet filter' nft -D "mss4=$((SMALLEST - IPV4_TCP_BYTES))" -D "mss6=$((SMALLEST - IPV6_TCP_BYTES))" -f "$RUN/nftables.wanted"
}

links() {
	while read -r name id mtu; do
		if [ ! -e "$NET/$name" ]; then
			try "make the interface $name (the node's kernel needs XFRM interfaces, CONFIG_XFRM_INTERFACE; without them use the mode policy)" \
				ip link add "$name" type xfrm if_id "$id" || return 1
		fi
		try "set the MTU of $name to $mtu" ip link set dev "$name" mtu "$mtu" up || return 1
	done <"$RUN/links"
}

# Interfaces of tunnels that are gone.
remove_links() {
	set +f
	for link in "$NET"/ipsec*; do
		set -f
		name=${link##*/}
		[ -e "$link" ] || continue
		if grep -q "^$name " "$RUN/links"; then continue; fi
		log "remove the interface $name"
		try "remove the interface $name" ip link delete dev "$name" || return 1
	done
	set -f
}

# stale LIST: what was applied of it and is no longer wanted. In our own spelling: the kernel has another one for some addresses.
stale() {
	if [ ! -e "$RUN/$1.applied" ]; then return 0; fi
	while read -r line; do
		grep -Fqx "$line" "$RUN/$1" || printf '%s\n' "$line"
	done <"$RUN/$1.applied"
}

addresses() {
	stale addresses >"$RUN/stale"
	while read -r address dev name; do
		[ ! -e "$NET/$name" ] || ip address delete "$address" "$dev" "$name" 2>/dev/null || :
	done <"$RUN/stale"
	while read -r address dev name; do
		try "give $name the address $address" ip address replace "$address" "$dev" "$name" || return 1
	done <"$RUN/addresses"
}

# route VERB NETWORK HOW
route() {
	case $3 in
	unreachable) ip route "$1" unreachable "$2" metric "$LAST_METRIC" proto "$PROTOCOL" ;;
	*) ip route "$1" "$2" dev "${3#dev }" proto "$PROTOCOL" ;;
	esac
}

routes() {
	stale routes >"$RUN/stale"
	while read -r network how; do
		route delete "$network" "$how" 2>/dev/null || :
	done <"$RUN/stale"
	while read -r network how; do
		try "lead $network" route replace "$network" "$how" || return 1
	done <"$RUN/routes"
}

# All of them that are there.
routes_there() {
	ip route show proto "$PROTOCOL"
	ip -6 route show proto "$PROTOCOL"
}

apply() {
	try "read $CONFIG" cp -f "$CONFIG/network" "$RUN/network.wanted" || return 1
	try "read $CONFIG" cp -f "$CONFIG/nftables.conf" "$RUN/nftables.wanted" || return 1
	if ! { read_network && filter && links && addresses && routes && remove_links; }; then return 1; fi
	for list in network nftables; do cp -f "$RUN/$list.wanted" "$RUN/$list.applied"; done
	for list in addresses routes; do cp -f "$RUN/$list" "$RUN/$list.applied"; done
	routes_there >"$RUN/routes.there"
}

# Whether all is as it was applied, and nothing else is wanted.
is_applied() {
	cmp -s "$CONFIG/network" "$RUN/network.applied" || return 1
	cmp -s "$CONFIG/nftables.conf" "$RUN/nftables.applied" || return 1
	nft list table inet vpn >/dev/null 2>&1 || return 1
	while read -r name _; do
		[ -e "$NET/$name" ] || return 1
	done <"$RUN/links"
	routes_there | cmp -s - "$RUN/routes.there"
}

tick() {
	if is_applied || apply; then status ok; else status "$REASON"; fi
}

main() {
	mkdir -p "$RUN"
	case ${1:-} in
	once)
		apply || {
			log "$REASON"
			exit 1
		}
		status ok
		;;
	watch)
		trap 'kill -KILL $SLEEPER 2>/dev/null; exit 0' TERM INT
		while :; do
			tick
			pause "$POLL_SECONDS"
		done
		;;
	*)
		log "say once or watch, not: ${1:-nothing}"
		exit 2
		;;
	esac
}

main "$@"
