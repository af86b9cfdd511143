#!/bin/sh
# charon.sh: run charon, and load with swanctl what control.py has composed whenever it asks for it.
#
# It asks with a line `NUMBER` or `NUMBER clear` in STATE/load/wanted; the answer in STATE/load/done is a line
# `NUMBER RESULT` and then what swanctl said. Until the first load charon sends nothing.
#
# Environment: CHARON (/usr/libexec/ipsec/charon), CONFIG (/config), STATE (/run/vpn).
# For tests only: TEST_ROOT stands before /run and /var, TEST_NAT_T_PORT for 4500.
set -euf
export LC_ALL=C
umask 077

PROGRAM=${0##*/}
CHARON=${CHARON:-/usr/libexec/ipsec/charon}
CONFIG=${CONFIG:-/config}
STATE=${STATE:-/run/vpn}
LOAD=$STATE/load
UDP=17 # by number, since an image may not know the names of protocols
SOCKET=$STATE/charon.vici
ENDED=$STATE/charon-ended # there while charon is gone: reflector.py ends its BGP sessions, as long as the kernel still sends for it
GOODBYE=$STATE/fabric/goodbye # there when it has
GOODBYE_SECONDS=15 # how long it may take
LEAVING_SECONDS=2 # and then the remote ends, until they use another way
STARTS=$STATE/charon-starts # there from before charon opens its ports until control.py has reached it, which has one in its stead
PORT=${TEST_NAT_T_PORT:-4500}

# Not a copy of control.py's: charon starts without waiting for it, and reads later versions of the file here too.
export STRONGSWAN_CONF="$CONFIG/strongswan.conf"
export SWANCTL_DIR="$STATE/swanctl"

DONE=''    # the number that was loaded last
SILENCE='' # what was done last
DAEMON=''  # charon

log() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() {
	log "$*"
	exit 1
}

# In the background, so that a signal is served at once.
pause() {
	sleep "$1" &
	wait "$!" || :
}

check_settings() {
	[ -d "$STATE" ] || die "STATE: there is no folder $STATE; mount a volume there"
	[ -r "$STRONGSWAN_CONF" ] || die "CONFIG: $STRONGSWAN_CONF cannot be read; mount the ConfigMap of the gateway there"
	[ -x "$CHARON" ] || die "CHARON: there is no program $CHARON; give the path of charon in this image, which may be /usr/lib/ipsec/charon"
	command -v swanctl >/dev/null || die 'the image has no command swanctl'
}

# What an earlier charon left: its files keep this one from starting, and what it had loaded this one has not. As long as its SAs
# carried packets, a peer would not notice that nobody knows them any more.
clean_up() {
	if [ -e "$SOCKET" ] && [ -d "$STATE/fabric" ]; then
		: >"$ENDED"
		waited=0
		while [ ! -e "$GOODBYE" ] && [ "$waited" -lt "$GOODBYE_SECONDS" ]; do
			pause 1
			waited=$((waited + 1))
		done
		pause "$LEAVING_SECONDS"
	fi
	for what in state policy; do ip xfrm "$what" flush 2>/dev/null || :; done
	mkdir -p "$LOAD"
	rm -f "${TEST_ROOT:-}/run/charon.pid" "${TEST_ROOT:-}/var/run/charon.pid" "$SOCKET" "$LOAD/done" "$LOAD/loaded.json" \
		"$STATE/leaving/charon"
}

# charon opens its ports once.
free_port() {
	: >"$STARTS"
	waited=0
	while grep -qs "$(printf ':%04X ' "$PORT")" /proc/net/udp /proc/net/udp6 && [ "$waited" -lt 50 ]; do
		pause 0.1
		waited=$((waited + 1))
	done
}

# silence add|delete: a charon that has no connections yet refuses every peer, and some then give up for good; one that hears nothing
# asks again.
silence() {
	[ "$SILENCE" != "$1" ] || return 0
	SILENCE=$1
	for family in -4 -6; do
		for port in 500 4500; do
			complaint=$(ip "$family" rule "$1" pref 1 ipproto "$UDP" sport "$port" prohibit 2>&1) && continue
			case "$1$family $complaint" in
			add-4*exists* | delete* | *-6*) ;;
			*) log "charon may refuse peers until its configuration is loaded: $complaint" ;;
			esac
		done
	done
}

# load NUMBER OPTION
load() {
	if [ "$2" = clear ]; then set -- "$1" --clear; else set -- "$1"; fi
	number=$1
	shift
	# In the background like every command that takes time, so that a signal is served at once.
	swanctl --load-all --noprompt "$@" --file "$SWANCTL_DIR/swanctl.conf" --uri "unix://$SOCKET" >"$LOAD/output" 2>&1 </dev/null &
	result=0
	wait "$!" || result=$?
	if [ "$result" = 0 ] || grep -q '^loaded connection' "$LOAD/output"; then silence delete; fi
	DONE=$number
	log "load $number: swanctl ended with $result"
	if {
		printf '%s %s\n' "$number" "$result"
		cat "$LOAD/output"
	} >"$LOAD/done.new"; then
		mv -f "$LOAD/done.new" "$LOAD/done" || :
	fi
}

tick() {
	number='' option=''
	{ read -r number option <"$LOAD/wanted"; } 2>/dev/null || :
	case $number in
	'' | "$DONE" | *[!0-9]*) return 0 ;;
	esac
	# Until charon listens there is nothing to load it into.
	[ ! -S "$SOCKET" ] || load "$number" "$option"
}

# charon tells every peer before it ends.
finish() {
	result=$?
	trap - EXIT
	trap '' TERM INT
	if [ -n "$DAEMON" ]; then
		log 'stop charon'
		kill -TERM "$DAEMON" 2>/dev/null || :
		wait "$DAEMON" || :
		log 'charon has stopped'
	fi
	exit "$result"
}

main() {
	trap finish EXIT
	trap 'exit 0' TERM INT
	check_settings
	clean_up
	silence add
	free_port
	"$CHARON" &
	DAEMON=$!
	rm -f "$ENDED"
	while kill -0 "$DAEMON" 2>/dev/null; do
		tick
		pause 1
	done
	result=0
	wait "$DAEMON" || result=$?
	DAEMON=''
	: >"$ENDED"
	log "charon has ended with $result"
	return "$result"
}

main "$@"
