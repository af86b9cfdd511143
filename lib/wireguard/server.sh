#!/bin/sh
# server.sh: make one WireGuard interface and keep it as the mounted files say; a change is applied in place.
#
# Environment: ADDRESSES and LISTEN_PORT; INTERFACE (wg0), MTU (auto), FORWARDING (false), USERSPACE (false), POLL_SECONDS (2).
# For tests only: TEST_ROOT stands before /etc and /run, TEST_KERNEL before /proc and /sys.
set -euf
export LC_ALL=C
export WG_ENDPOINT_RESOLUTION_RETRIES=0 # a name that does not resolve must not hold up the loop
umask 077

PROGRAM=${0##*/}
INTERFACE=${INTERFACE:-wg0}
ADDRESSES=${ADDRESSES:-}
LISTEN_PORT=${LISTEN_PORT:-}
MTU=${MTU:-auto}
FORWARDING=${FORWARDING:-false}
USERSPACE=${USERSPACE:-false}
POLL_SECONDS=${POLL_SECONDS:-2}

MOUNTS=${TEST_ROOT:-}/etc/wireguard
CONFIG=$MOUNTS/config
PRIVATE_KEY=$MOUNTS/private-key/private-key
RUN=${TEST_ROOT:-}/run/vpn
HEALTH=${TEST_ROOT:-}/run/health
WANTED=${TEST_ROOT:-}/run/vpn-userspace/wanted
SYSCTL=${TEST_KERNEL:-}/proc/sys/net
NET=${TEST_KERNEL:-}/sys/class/net

LINK=$NET/$INTERFACE
TAG=cdk8s-vpn          # the alias of an interface that this script made
PROTOCOL=86            # the protocol number of routes that this script made
USERSPACE_SECONDS=30   # how long the userspace container may take to make the interface
RESOLVE_SECONDS=30     # how often the host names of silent peers are resolved again
SILENT_SECONDS=135     # a peer whose handshake is older has no session: 120 s plus a retry

MODE=''    # who made the interface: kernel (this script), userspace (its container), found (somebody else)
OURS=''    # set once there is something to undo
STARTED='' # set once everything has been applied
FRESH=''   # set when the interface has been made and not yet been configured
APPLIED='' # checksum of the inputs that were applied last; empty: apply them at the next tick
LOGGED=''  # checksum of the inputs whose success was logged last
FAILURE='' # why the last apply failed
REASON=''  # why the last step failed
DEATH=''   # why the script ends
STATE=''   # the state that was logged last
NEXT_RESOLVE=0
SLEEPER=''
RESOLVER=''

log() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() {
	DEATH=$*
	log "$DEATH"
	exit 1
}

# try WHAT COMMAND...: on failure REASON is one line, with every key in the complaint masked.
try() {
	what=$1
	shift
	complaint=$("$@" 2>&1) && return 0
	complaint=$(printf '%s\n' "$complaint" | sed -n '1,2s/[A-Za-z0-9+/]\{43\}=/(key)/g;1,2p' | tr -s '\n\t ' ' ')
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

finish() {
	result=$?
	trap - EXIT
	trap '' TERM INT
	for child in $SLEEPER $RESOLVER; do
		kill "$child" 2>/dev/null || :
	done
	# A failure in service leaves the tunnels as they are: the next start of the container finds and takes them.
	if [ -n "$OURS" ] && { [ -z "$STARTED" ] || [ "$result" -eq 0 ]; }; then
		undo
	fi
	status 0 0 "${DEATH:-the server has stopped}"
	exit "$result"
}

# First the interface, then the rules: nothing passes unfiltered.
undo() {
	if [ "$MODE" = kernel ]; then
		log "remove the interface $INTERFACE"
		ip link delete dev "$INTERFACE" 2>/dev/null || :
	else
		log "take the interface $INTERFACE down"
		ip link set dev "$INTERFACE" down 2>/dev/null || :
	fi
	nft delete table inet vpn 2>/dev/null || :
	rm -f "$WANTED"
}

check_settings() {
	case $INTERFACE in
	'' | . | .. | *[!a-zA-Z0-9_=+.-]* | ????????????????*) die "INTERFACE is not the name of an interface: $INTERFACE" ;;
	esac
	[ -n "$ADDRESSES" ] || die "ADDRESSES is empty: give the addresses of $INTERFACE with their prefix lengths"
	for address in $ADDRESSES; do
		case $address in
		*[!0-9a-fA-F.:/]* | */*/* | /* | */) die "ADDRESSES holds what is not an address with a prefix length: $address" ;;
		*/*) ;;
		*) die "ADDRESSES holds what is not an address with a prefix length: $address" ;;
		esac
	done
	is_number "$LISTEN_PORT" 1 65535 || die "LISTEN_PORT is not a port: $LISTEN_PORT"
	[ "$MTU" = auto ] || is_number "$MTU" 576 65535 || die "MTU is neither auto nor a number of bytes from 576 to 65535: $MTU"
	for flag in "FORWARDING $FORWARDING" "USERSPACE $USERSPACE"; do
		case $flag in
		*' true' | *' false') ;;
		*) die "${flag%% *} is neither true nor false: ${flag#* }" ;;
		esac
	done
	case $POLL_SECONDS in
	'' | *[!0-9.]* | *.*.*) die "POLL_SECONDS is not a number of seconds: $POLL_SECONDS" ;;
	esac
	for command in awk cksum date ip nft sed sleep wg; do
		command -v "$command" >/dev/null || die "the image has no command $command"
	done
	case $(ip -V 2>&1 || :) in
	*iproute2*) ;;
	*) die "the image's ip is not iproute2's, which WireGuard interfaces need" ;;
	esac
	for directory in "$RUN" "$HEALTH"; do
		is_writable "$directory" || die "cannot write to $directory: mount a volume there"
	done
	[ "$USERSPACE" = false ] || is_writable "${WANTED%/*}" || die "cannot write to ${WANTED%/*}: mount a volume there"
}

is_writable() { [ -d "$1" ] && [ -w "$1" ]; }

# is_number TEXT MINIMUM MAXIMUM
is_number() {
	case $1 in
	'' | 0?* | *[!0-9]* | ??????*) return 1 ;;
	esac
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

uses_ipv4() { case " $ADDRESSES " in *.*) ;; *) return 1 ;; esac }
uses_ipv6() { case " $ADDRESSES " in *:*) ;; *) return 1 ;; esac }

check_forwarding() {
	[ "$FORWARDING" = true ] || return 0
	! uses_ipv4 || forwards ipv4/ip_forward net.ipv4.ip_forward
	! uses_ipv6 || forwards ipv6/conf/all/forwarding net.ipv6.conf.all.forwarding
}

# forwards FILE NAME: stop unless the pod forwards.
forwards() {
	value=''
	{ read -r value <"$SYSCTL/$1"; } 2>/dev/null || :
	[ "$value" = 1 ] || die "$2 is ${value:-missing} in this pod, so nothing would be forwarded:" \
		"set the value ipForwarding.method to init (a privileged init container sets it) or sysctl (the kubelet must allow it);" \
		"assume is right only where the node or the network plug-in sets it for every pod"
}

# For awk: the file that a line "# preshared-key = PATH" of wg.conf means, or "" if it is no key of a mounted Secret.
PRESHARED_FILE='
	function preshared_file(line,    path) {
		path = substr(line, 19)
		if (path !~ /^(preshared-keys\/[A-Za-z0-9][A-Za-z0-9._-]*|given-keys)\/[A-Za-z0-9_-][A-Za-z0-9._-]*$/) return ""
		return mounts "/" path
	}'

# A checksum of everything that is read: names and contents, secrets included. Of the mounted Secrets that is what
# wg.conf refers to; their number and size are limited by nobody, so no command gets their names as arguments.
inputs() {
	{
		cksum "$CONFIG/wg.conf" "$CONFIG/nftables.conf" "$CONFIG/routes" "$PRIVATE_KEY" || :
		awk -v mounts="$MOUNTS" "$PRESHARED_FILE"'
		{ sub(/\r$/, "") }
		/^# preshared-key = / && (file = preshared_file($0)) != "" {
			while ((status = (getline line < file)) > 0) print line
			close(file)
			print file, status
		}' "$CONFIG/wg.conf" || :
	} 2>/dev/null | cksum
}

# Read the inputs into $RUN: wg.conf with its secrets, nftables.conf, routes,
# keys (the public keys of wg.conf) and endpoints (the host names that are set one by one, see resolve).
read_inputs() {
	for file in wg.conf nftables.conf routes; do
		[ -r "$CONFIG/$file" ] || {
			REASON="cannot read $CONFIG/$file"
			return 1
		}
	done
	try "copy from $CONFIG" cp -f "$CONFIG/nftables.conf" "$CONFIG/routes" "$RUN" || return 1
	refusal=$(compose) || {
		REASON=${refusal:-"cannot compose $RUN/wg.conf"}
		return 1
	}
}

# Write wg.conf, keys and endpoints; on standard output, why it cannot be done.
compose() {
	awk -v out="$RUN/wg.conf" -v keys="$RUN/keys" -v endpoints="$RUN/endpoints" \
		-v private="$PRIVATE_KEY" -v mounts="$MOUNTS" "$PRESHARED_FILE"'
	# The key in a file.
	function key_in(file, whose,    line, text, status) {
		while ((status = (getline line < file)) > 0) text = text line "\n"
		close(file)
		if (status < 0) refuse("cannot read " whose ": there is no file " file)
		sub(/[ \t\r\n]+$/, "", text)
		if (!is_key(text)) refuse(whose ": " file " does not hold a WireGuard key: 32 bytes in base64, 44 characters")
		return text
	}
	# The 43rd character carries four bits only.
	function is_key(text) {
		return length(text) == 44 && substr(text, 1, 43) !~ "[^A-Za-z0-9+/]" && \
			index("AEIMQUYcgkosw048", substr(text, 43, 1)) && substr(text, 44) == "="
	}
	function refuse(sentence) {
		print sentence
		refused = 1
		exit 1
	}
	BEGIN {
		printf "" > out
		printf "" > keys
		printf "" > endpoints
	}
	{ sub(/\r$/, "") }
	/^# name = / {
		name = substr($0, 10)
		if (name ~ /[^A-Za-z0-9._-]/) name = ""
	}
	/^# preshared-key = / {
		whose = "the pre-shared key of " (name == "" ? "a peer" : name)
		preshared = preshared_file($0)
		if (preshared == "") refuse(whose " is neither preshared-keys/SECRET/KEY nor given-keys/KEY")
	}
	/^\[/ {
		peer = $0 == "[Peer]" ? preshared : ""
		public = name = preshared = ""
	}
	/^Endpoint = / && public != "" && !/^Endpoint = (\[|[0-9.]+:)/ {
		print public, substr($0, 12) > endpoints
		next
	}
	{ print > out }
	$0 == "[Interface]" {
		print "PrivateKey = " key_in(private, "the private key") > out
		interfaces++
	}
	/^PublicKey = / {
		public = substr($0, 13)
		print public > keys
		if (peer != "") print "PresharedKey = " key_in(peer, whose) > out
	}
	END {
		if (!refused && interfaces != 1) refuse("wg.conf must have one line [Interface]")
	}' "$CONFIG/wg.conf" 2>/dev/null
}

# Find or make the interface. Status 1: cannot be done; 2: wait for the userspace container.
make_interface() {
	if [ -e "$LINK" ]; then
		recognise_interface
		return
	fi
	FRESH=1
	OURS=1
	if [ "$MODE" != userspace ]; then
		if complaint=$(ip link add dev "$INTERFACE" type wireguard 2>&1); then
			MODE=kernel
			log "made the interface $INTERFACE"
			try "mark the interface $INTERFACE" ip link set dev "$INTERFACE" alias "$TAG"
			return
		fi
		if [ "$USERSPACE" != true ]; then
			case $complaint in
			*'nknown device type'* | *'ot supported'*)
				REASON="the kernel of this node has no WireGuard: load its module (modprobe wireguard; Linux 5.6 or newer has it),"
				REASON="$REASON or set the value userspace.image to an image with wireguard-go"
				;;
			*) REASON="cannot make the interface $INTERFACE: $complaint" ;;
			esac
			return 1
		fi
		log "the kernel makes no WireGuard interface ($complaint): the userspace container is to make $INTERFACE"
		MODE=userspace
	fi
	ask_userspace
	REASON="the userspace container has not made the interface $INTERFACE"
	return 2
}

recognise_interface() {
	alias=''
	{ read -r alias <"$LINK/ifalias"; } 2>/dev/null || :
	if wg show "$INTERFACE" listen-port >/dev/null 2>&1; then
		if [ -e "$LINK/tun_flags" ]; then
			MODE=userspace
			ask_userspace
		elif [ "$alias" = "$TAG" ]; then
			MODE=kernel
		else
			MODE=found
		fi
		return 0
	fi
	if [ "$USERSPACE" = true ] && [ -e "$LINK/tun_flags" ]; then
		MODE=userspace
		ask_userspace
		REASON="the userspace container does not answer for the interface $INTERFACE"
		return 2
	fi
	REASON="the interface $INTERFACE exists and is not a WireGuard interface"
	return 1
}

ask_userspace() {
	[ -e "$WANTED" ] || { printf '' >"$WANTED"; } 2>/dev/null || :
}

# Set WIRE_MTU, from the smallest MTU of a default route: of its interface, or its own (Cilium sets it there).
choose_mtu() {
	{
		ip -4 route show default
		ip -6 route show default
	} >"$RUN/defaults" 2>/dev/null || :
	pod=''
	while read -r words; do
		before=''
		for word in $words; do
			size=''
			case $before in
			dev) { read -r size <"$NET/$word/mtu"; } 2>/dev/null || : ;;
			mtu | lock) size=$word ;;
			esac
			before=$word
			! is_number "$size" 1 99999 || [ "${pod:-99999}" -le "$size" ] || pod=$size
		done
	done <"$RUN/defaults"
	WIRE_MTU=$MTU
	if [ "$MTU" = auto ]; then
		[ -n "$pod" ] || log "warning: the pod has no default route that tells its MTU: 1500 is assumed"
		WIRE_MTU=$((${pod:-1500} - 80))
	elif [ -n "$pod" ] && [ "$MTU" -gt $((pod - 60)) ]; then
		log "warning: MTU $MTU does not fit into the pod's own MTU of $pod: large packets will be lost;" \
			"at most $((pod - 80)) fits, or $((pod - 60)) if all peers are reached over IPv4"
	fi
	! uses_ipv6 || [ "$WIRE_MTU" -ge 1280 ] || {
		REASON="MTU $WIRE_MTU is too small for the IPv6 address of $INTERFACE: at least 1280 is needed"
		return 1
	}
}

# plan KIND WANTED PRESENT: the lines for ip -batch that lead from one to the other, removals first.
plan() {
	awk -v kind="$1" -v wanted="$2" -v present="$3" -v interface="$INTERFACE" -v protocol="$PROTOCOL" '
	# One text for each network, however it is written.
	function canonical(network,    at, size, address, bytes, halves, left, right, i, text) {
		at = index(network, "/")
		size = at ? substr(network, at + 1) : ""
		address = at ? substr(network, 1, at - 1) : network
		if (!index(address, ":")) return address "/" (size == "" ? 32 : size)
		address = tolower(address)
		if (match(address, /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/)) {
			split(substr(address, RSTART), bytes, ".")
			address = substr(address, 1, RSTART - 1) sprintf("%x:%x", bytes[1] * 256 + bytes[2], bytes[3] * 256 + bytes[4])
		}
		halves = split(address, half, "::")
		left = split(half[1], head, ":")
		right = halves > 1 ? split(half[2], tail, ":") : 0
		text = ""
		for (i = 1; i <= left; i++) text = text group(head[i])
		for (i = left + right; i < 8; i++) text = text "0:"
		for (i = 1; i <= right; i++) text = text group(tail[i])
		return text "/" (size == "" ? 128 : size)
	}
	function group(digits) {
		sub(/^0+/, "", digits)
		return (digits == "" ? "0" : digits) ":"
	}
	BEGIN {
		mark = kind == "route" ? " proto " protocol : ""
		while ((getline line < wanted) > 0) {
			gsub(/[ \t\r]/, "", line)
			if (line == "" || (canonical(line) in want)) continue
			want[canonical(line)] = 1
			order[++count] = line
		}
		while ((getline line < present) > 0) {
			words = split(line, word, " ")
			if (line == "inet6") inet6 = 1
			if (words < 2) continue
			text = kind == "route" ? word[1] : word[4]
			if (text == "default") text = inet6 ? "::/0" : "0.0.0.0/0"
			if (canonical(text) in want) have[canonical(text)] = 1
			else if (kind == "address" || index(line " ", mark " ")) print kind, "del", text, "dev", interface mark
		}
		for (i = 1; i <= count; i++)
			if (!(canonical(order[i]) in have)) print kind, "add", order[i], "dev", interface mark
	}'
}

# carry_out WHAT: run the planned lines, all of them even if one fails.
carry_out() {
	[ -s "$RUN/plan" ] || return 0
	added=0 removed=0
	while read -r _ verb _; do
		case $verb in
		add) added=$((added + 1)) ;;
		del) removed=$((removed + 1)) ;;
		esac
	done <"$RUN/plan"
	try "set the $1" ip -force -batch "$RUN/plan" || return 1
	log "changed the $1 of $INTERFACE: $added added, $removed removed"
}

set_addresses() {
	printf '%s\n' "$ADDRESSES" | tr ' ' '\n' >"$RUN/addresses"
	# Twice: with the first IPv4 address of a network the kernel removes the others of it.
	for _ in 1 2; do
		ip -o address show dev "$INTERFACE" >"$RUN/present" 2>/dev/null || :
		plan address "$RUN/addresses" "$RUN/present" >"$RUN/plan"
		carry_out addresses || return 1
	done
}

set_routes() {
	{
		ip -4 route show dev "$INTERFACE" || :
		echo inet6
		ip -6 route show dev "$INTERFACE" || :
	} >"$RUN/present" 2>/dev/null
	plan route "$RUN/routes" "$RUN/present" >"$RUN/plan"
	carry_out routes
}

firewall() { nft -D "mss4=$((WIRE_MTU - 40))" -D "mss6=$((WIRE_MTU - 60))" -f "$1"; }

# Apply the inputs; the rules come before the peers they are about, and go back if the peers are refused.
apply() {
	read_inputs || return 1
	try "load the firewall rules" firewall "$RUN/nftables.conf" || return 1
	action=syncconf
	[ -z "$FRESH" ] || action=setconf
	if ! try "set the peers" wg "$action" "$INTERFACE" "$RUN/wg.conf"; then
		[ ! -e "$RUN/nftables.good" ] || firewall "$RUN/nftables.good" 2>/dev/null || :
		return 1
	fi
	FRESH=''
	mv -f "$RUN/nftables.conf" "$RUN/nftables.good"
	is_up || try "bring $INTERFACE up" ip link set dev "$INTERFACE" up || return 1
	NEXT_RESOLVE=0
	set_routes
}

bring_up() {
	make_interface || return
	choose_mtu || return 1
	ip link set dev "$INTERFACE" addrgenmode none 2>/dev/null || : # without IPv6 there is nothing to turn off
	try "set the MTU of $INTERFACE to $WIRE_MTU" ip link set dev "$INTERFACE" mtu "$WIRE_MTU" || return 1
	log "set the MTU of $INTERFACE to $WIRE_MTU"
	set_addresses || return 1
	apply
}

# attempt COMMAND: with APPLIED and FAILURE as its result.
attempt() {
	APPLIED=''
	FAILURE=''
	REASON=''
	if ! "$@"; then
		FAILURE=${REASON:-"the configuration cannot be applied"}
		return
	fi
	APPLIED=$stamp
	[ "$LOGGED" = "$stamp" ] || log "applied the configuration to $INTERFACE"
	LOGGED=$stamp
}

is_up() {
	flags=0
	{ read -r flags <"$LINK/flags"; } 2>/dev/null || :
	[ $((flags & 1)) -eq 1 ]
}

# Why the interface is not what the inputs want, or nothing.
evidence() {
	wg show "$INTERFACE" dump 2>/dev/null | awk -F '\t' -v interface="$INTERFACE" -v port="$LISTEN_PORT" -v keys="$RUN/keys" '
	BEGIN {
		while ((getline key < keys) > 0) if (!(key in wanted)) {
			wanted[key] = 1
			count++
		}
	}
	NR == 1 {
		if ($1 == "(none)") reason = interface " has no private key"
		else if ($3 != port) reason = interface " listens on port " $3 " and not on " port
		next
	}
	$1 in wanted {
		present++
		next
	}
	{ strangers++ }
	END {
		if (NR == 0) reason = interface " does not answer"
		else if (reason == "" && present < count) reason = interface " has " present + 0 " of " count " peers"
		else if (reason == "" && strangers) reason = interface " has " strangers " peers that are not configured"
		if (reason != "") print reason
	}'
}

# Set the host names of endpoints one by one and beside the loop: only for peers without a session,
# again and again since the address behind a name changes, and so that one bad name is no failure of the others.
resolve() {
	[ -s "$RUN/endpoints" ] && [ "$NOW" -ge "$NEXT_RESOLVE" ] || return 0
	[ -z "$RESOLVER" ] || ! kill -0 "$RESOLVER" 2>/dev/null || return 0
	NEXT_RESOLVE=$((NOW + RESOLVE_SECONDS))
	resolve_silent &
	RESOLVER=$!
}

resolve_silent() {
	wg show "$INTERFACE" latest-handshakes >"$RUN/handshakes" 2>/dev/null || return 0
	awk -v after=$((NOW - SILENT_SECONDS)) -v handshakes="$RUN/handshakes" '
	BEGIN { while ((getline line < handshakes) > 0) if (split(line, word, "\t") == 2) last[word[1]] = word[2] }
	($1 in last) && last[$1] < after' "$RUN/endpoints" >"$RUN/silent"
	unresolved=''
	while read -r key endpoint; do
		wg set "$INTERFACE" peer "$key" endpoint "$endpoint" </dev/null 2>/dev/null || unresolved="$unresolved $endpoint"
	done <"$RUN/silent"
	known=''
	{ read -r known <"$RUN/unresolved"; } 2>/dev/null || :
	[ "$unresolved" = "${known:+ $known}" ] || log "endpoints that do not resolve:${unresolved:- none}"
	printf '%s\n' "${unresolved# }" >"$RUN/unresolved"
}

# status LIVE READY REASON
status() {
	NOW=$(date +%s)
	umask 022 # the health container is not root
	if printf 'time %s\nlive %s\nready %s\nreason %s\n' "$NOW" "$1" "$2" "$3" >"$HEALTH/status.new"; then
		mv -f "$HEALTH/status.new" "$HEALTH/status" || :
	fi
	umask 077
}

report() {
	live=0 ready=0
	if [ ! -e "$LINK" ]; then
		reason=${FAILURE:-the interface $INTERFACE is missing}
	else
		live=1
		reason=$FAILURE
		[ -n "$reason" ] || is_up || reason="the interface $INTERFACE is down"
		[ -n "$reason" ] || reason=$(evidence) || reason="cannot look at $INTERFACE"
		[ -n "$reason" ] || ready=1
		# What does not look as applied is applied again.
		[ -z "$reason" ] || APPLIED=''
	fi
	status "$live" "$ready" "${reason:-ok}"
	if [ "$STATE" != "$ready $reason" ]; then
		STATE="$ready $reason"
		if [ "$ready" = 1 ]; then log 'ready'; else log "not ready: $reason"; fi
	fi
}

# The first time: what cannot be done ends the container, except that the userspace container gets its time.
start() {
	stamp=$(inputs)
	read_inputs || die "$REASON"
	[ -e "$LINK" ] || rm -f "$WANTED"
	waited=0
	while :; do
		attempt bring_up
		[ -n "$FAILURE" ] || break
		{ [ "$MODE" = userspace ] && ! wg show "$INTERFACE" listen-port >/dev/null 2>&1; } || die "$FAILURE"
		[ "$waited" -lt "$USERSPACE_SECONDS" ] || die "$FAILURE within $USERSPACE_SECONDS s: look at the log of that container"
		report
		pause 1
		waited=$((waited + 1))
	done
	OURS=1
	STARTED=1
}

tick() {
	stamp=$(inputs)
	if ! is_up; then
		attempt bring_up
	elif [ "$stamp" != "$APPLIED" ]; then
		attempt apply
	fi
	report
	resolve
}

main() {
	trap finish EXIT
	trap 'exit 0' TERM INT
	check_settings
	check_forwarding
	start
	while :; do
		tick
		pause "$POLL_SECONDS"
	done
}

main "$@"
