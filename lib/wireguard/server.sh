#!/bin/sh
# server.sh: make one WireGuard interface and keep it as the mounted files say; a change is applied in place.
#
# Environment: ADDRESSES and LISTEN_PORT; INTERFACE (wg0), MTU (auto), FORWARDING (false), USERSPACE (false), METRICS (false),
# POLL_SECONDS (2), RESOLVE_SECONDS (30), SILENT_SECONDS (135). For tests only: TEST_ROOT stands before /etc, /run and /var, TEST_KERNEL before /proc and /sys.
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
METRICS=${METRICS:-false}
POLL_SECONDS=${POLL_SECONDS:-2}
RESOLVE_SECONDS=${RESOLVE_SECONDS:-30} # how often the host names of silent peers are resolved again
SILENT_SECONDS=${SILENT_SECONDS:-135}  # a peer whose handshake is older has no session: 120 s plus a retry

MOUNTS=${TEST_ROOT:-}/etc/wireguard
CONFIG=$MOUNTS/config
PRIVATE_KEY=$MOUNTS/private-key/private-key
PEERS_FROM=$MOUNTS/peers-from
GENERATED=${TEST_ROOT:-}/var/lib/wireguard
RUN=${TEST_ROOT:-}/run/vpn
HEALTH=${TEST_ROOT:-}/run/health
WANTED=${TEST_ROOT:-}/run/vpn-userspace/wanted
SYSCTL=${TEST_KERNEL:-}/proc/sys/net
NET=${TEST_KERNEL:-}/sys/class/net

LINK=$NET/$INTERFACE
TAG=cdk8s-vpn          # the alias of an interface that this script made
PROTOCOL=86            # the protocol number of routes that this script made
USERSPACE_SECONDS=30   # how long the userspace container may take to make the interface
BUSY_SECONDS=900       # how long it may take to read and apply the inputs: 20,000 peers took an emulated processor 100
METRICS_SECONDS=10     # how often the metrics are written

MODE=''    # who made the interface: kernel (this script), userspace (its container), found (somebody else)
OURS=''    # set once there is something to undo
STARTED='' # set once everything has been applied
FRESH=''   # set when the interface has been made and not yet been configured
READ=''    # checksum of the inputs that were read and not yet applied
APPLIED='' # checksum of the inputs that were applied last; empty: apply them at the next tick
LOGGED=''  # checksum of the inputs whose success was logged last
FAILURE='' # why the last apply failed
REASON=''  # why the last step failed
DEATH=''   # why the script ends
STATE=''   # the state that was logged last
PUBLIC_KEY='' # the server's own
NEXT_RESOLVE=0
NEXT_METRICS=0
LIVE=1 READY=0 WHY='the server is starting' # the status that was written last
SLEEPER=''
RESOLVER=''
KEEPER=''

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
	for child in $SLEEPER $RESOLVER $KEEPER; do
		kill -KILL "$child" 2>/dev/null || : # see busy
	done
	# A failure in service leaves the tunnels as they are: the next start of the container finds and takes them.
	if [ -n "$OURS" ] && { [ -z "$STARTED" ] || [ "$result" -eq 0 ]; }; then
		undo
	fi
	rm -f "$HEALTH/metrics"
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
	for flag in "FORWARDING $FORWARDING" "USERSPACE $USERSPACE" "METRICS $METRICS"; do
		case $flag in
		*' true' | *' false') ;;
		*) die "${flag%% *} is neither true nor false: ${flag#* }" ;;
		esac
	done
	case $POLL_SECONDS in
	'' | *[!0-9.]* | *.*.*) die "POLL_SECONDS is not a number of seconds: $POLL_SECONDS" ;;
	esac
	for seconds in "$RESOLVE_SECONDS" "$SILENT_SECONDS"; do
		is_number "$seconds" 1 99999 || die "RESOLVE_SECONDS and SILENT_SECONDS are numbers of seconds, got $seconds"
	done
	more=''
	[ ! -e "$CONFIG/peers-from.json" ] || more='find jq readlink stat tr'
	for command in awk cksum date ip nft sed sleep wg $more; do
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
		# The kubelet turns ..data to a new folder when the content of a volume changes.
		[ ! -e "$CONFIG/peers-from.json" ] || find "$PEERS_FROM" -maxdepth 2 -name ..data -exec readlink {} \; || :
		[ ! -d "$GENERATED" ] || ls -lR "$GENERATED" || :
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
# peers (the public keys and names of wg.conf) and endpoints (the host names that are set one by one, see resolve).
read_inputs() {
	for file in wg.conf nftables.conf routes; do
		[ -r "$CONFIG/$file" ] || {
			REASON="cannot read $CONFIG/$file"
			return 1
		}
	done
	try "copy from $CONFIG" cp -f "$CONFIG/nftables.conf" "$CONFIG/routes" "$RUN" || return 1
	try "copy from $CONFIG" cp -f "$CONFIG/wg.conf" "$RUN/plain.conf" || return 1
	generate_keys || return 1
	composed && check_public_key || return 1
	if [ -e "$CONFIG/peers-from.json" ]; then
		merge_peers && composed || return 1
	fi
}

composed() {
	refusal=$(compose) || {
		REASON=${refusal:-"cannot compose $RUN/wg.conf"}
		return 1
	}
}

# Run what may take long, and keep the status from going stale, for BUSY_SECONDS at most.
busy() {
	(
		trap - EXIT TERM INT
		lasted=0
		while [ "$lasted" -lt "$BUSY_SECONDS" ] && sleep 5; do
			lasted=$((lasted + 5))
			status "$LIVE" "$READY" "$WHY"
		done
	) &
	KEEPER=$!
	result=0
	"$@" || result=$?
	# KILL: a subshell loses another signal that comes before it has put our traps away.
	kill -KILL "$KEEPER" 2>/dev/null || :
	wait "$KEEPER" 2>/dev/null || :
	KEEPER=''
	return "$result"
}

# Put the good peers of the mounted sources behind those of the values, and say of each other one why it is left out.
merge_peers() {
	from=$RUN/peers-from
	mkdir -p "$from"
	ls "$PEERS_FROM" >"$from/sources" 2>/dev/null || :
	# What is taken: by the peers of the values, also by those whose keys are made here, and by the server.
	{
		printf '# public-key = %s\n' "$PUBLIC_KEY"
		cat "$RUN/wg.conf"
	} >"$from/known"
	try 'read the peers of peersFrom' sh "${0%/*}/peers-from.sh" "$CONFIG/peers-from.json" "$from/known" "$PEERS_FROM" "$from" ||
		return 1
	cat "$from/wg" >>"$RUN/plain.conf"
	cat "$from/nft" >>"$RUN/nftables.conf"
	cat "$from/routes" >>"$RUN/routes"
	[ -e "$from/told" ] || printf '' >"$from/told"
	awk -F '\t' -v told="$from/told" -v program="$PROGRAM" '
	BEGIN { while ((getline line < told) > 0) known[line] = 1 }
	!($0 in known) { print program ": left out: peersFrom." $1 "." $3 }' "$from/refused" >&2
	cp -f "$from/refused" "$from/told"
}

# Make the keys that are to be made here and are not there yet. What is there is never touched.
generate_keys() {
	awk '
	/^# name = / { name = substr($0, 10) }
	$0 == "# generated" {
		if (name == "") print "server"
		else if (name ~ /^[a-z0-9-]+$/) print "peers/" name
	}' "$RUN/plain.conf" >"$RUN/generated"
	[ -s "$RUN/generated" ] || return 0
	[ -d "$GENERATED" ] || {
		REASON="cannot keep generated keys: there is no volume at $GENERATED"
		return 1
	}
	made=''
	first=''
	[ -d "$GENERATED/server" ] || [ -d "$GENERATED/peers" ] || first=1
	pinned=$(sed -n 's/^# public-key = //p' "$RUN/plain.conf")
	while read -r owner; do
		[ ! -d "$GENERATED/$owner" ] || continue
		if [ "$owner" = server ] && [ -n "$pinned" ]; then
			REASON="the volume $GENERATED has no key of the server, whose public key is to be $pinned (serverPublicKey):"
			REASON="$REASON restore the volume from a backup, or remove serverPublicKey and give every client a new file"
			return 1
		fi
		try "make the keys of ${owner#peers/} on the volume $GENERATED, which must be writable and have room" make_keys "$GENERATED/$owner" ||
			return 1
		made="$made $owner"
	done <"$RUN/generated"
	[ -n "$made" ] || return 0
	if [ -n "$first" ]; then
		log "WARNING: the volume $GENERATED held none of the keys that are made here: this is the first start, or the volume is LOST"
		log "WARNING: if it is lost, restore it from a backup now; else every client needs a new file, because the keys are new:$made"
	else
		log "made the keys of$made"
	fi
}

# make_keys FOLDER: a folder that is there as a whole or not at all.
make_keys() {
	rm -rf "$1.new" && mkdir -p "$1.new" || return
	for kind in private public preshared; do
		case $kind in
		private) wg genkey ;;
		public) wg pubkey <"$1.new/private-key" ;;
		preshared) wg genpsk ;;
		esac >"$1.new/$kind-key" || return
		# A full volume may take a part without complaint.
		key=''
		read -r key <"$1.new/$kind-key" || :
		[ "${#key}" -eq 44 ] || {
			echo 'no space left'
			return 1
		}
	done
	sync && mv "$1.new" "$1"
}

# The public key of the values is what clients have: a server with another one would be silent to all of them. And of a peer
# with the key of the server itself WireGuard takes no notice.
check_public_key() {
	PUBLIC_KEY=$(sed -n 's/^PrivateKey = //p' "$RUN/wg.conf" | wg pubkey 2>/dev/null) || PUBLIC_KEY='no key'
	pinned=$(sed -n 's/^# public-key = //p' "$RUN/plain.conf")
	if [ "${pinned:-$PUBLIC_KEY}" != "$PUBLIC_KEY" ]; then
		REASON="the server's public key is $PUBLIC_KEY, but the value serverPublicKey is $pinned:"
		REASON="$REASON restore the private key (of a lost volume, from a backup), or set serverPublicKey anew and give every client a new file"
		return 1
	fi
	twin=$(awk -v key="$PUBLIC_KEY" '$1 == key { print $2; exit }' "$RUN/peers")
	[ -z "$twin" ] || {
		REASON="the peer $twin has the public key of the server: give it its own"
		return 1
	}
}

# Write wg.conf, peers and endpoints; on standard output, why it cannot be done.
compose() {
	awk -v out="$RUN/wg.conf" -v peers="$RUN/peers" -v endpoints="$RUN/endpoints" \
		-v private="$PRIVATE_KEY" -v mounts="$MOUNTS" -v generated="$GENERATED" "$PRESHARED_FILE"'
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
		printf "" > peers
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
	$0 == "# generated" {
		if (name == "") private = generated "/server/private-key"
		else folder = generated "/peers/" name
	}
	/^\[/ {
		peer = $0 == "[Peer]" ? preshared : ""
		owner = $0 == "[Peer]" ? name : ""
		public = preshared = name = ""
	}
	/^Endpoint = / && public != "" && !/^Endpoint = (\[|[0-9.]+:)/ {
		print public, substr($0, 12) > endpoints
		next
	}
	/^ListenPort = / { print "PrivateKey = " key_in(private, "the private key") > out }
	{ print > out }
	$0 == "[Interface]" { interfaces++ }
	$0 == "[Peer]" && folder != "" {
		whose = "the generated key of " owner
		public = key_in(folder "/public-key", whose)
		print "PublicKey = " public > out
		print "PresharedKey = " key_in(folder "/preshared-key", whose) > out
		print public, owner > peers
		folder = ""
	}
	/^PublicKey = / {
		public = substr($0, 13)
		print public, owner > peers
		if (peer != "") print "PresharedKey = " key_in(peer, whose) > out
	}
	END {
		if (!refused && interfaces != 1) refuse("wg.conf must have one line [Interface]")
	}' "$RUN/plain.conf" 2>/dev/null
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
			gsub(/#.*|[ \t\r]/, "", line)
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
	[ "$READ" = "$stamp" ] || read_inputs || return 1
	READ=''
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
	wg show "$INTERFACE" dump 2>/dev/null | awk -F '\t' -v interface="$INTERFACE" -v port="$LISTEN_PORT" -v peers="$RUN/peers" '
	BEGIN {
		while ((getline line < peers) > 0) {
			key = substr(line, 1, 44)
			if (key in wanted) continue
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
	LIVE=$1 READY=$2 WHY=$3
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
	if [ "$METRICS" = true ] && [ "$NOW" -ge "$NEXT_METRICS" ]; then
		NEXT_METRICS=$((NOW + METRICS_SECONDS))
		write_metrics
	fi
	if [ "$STATE" != "$ready $reason" ]; then
		STATE="$ready $reason"
		if [ "$ready" = 1 ]; then log 'ready'; else log "not ready: $reason"; fi
	fi
}

# What Prometheus reads (text format 0.0.4). The dump of wg holds secrets, and only what is named here leaves it.
write_metrics() {
	umask 022 # as for status
	if wg show "$INTERFACE" dump 2>/dev/null | awk -F '\t' -v now="$NOW" -v ready="$ready" -v session=180 \
		-v peers="$RUN/peers" -v unresolved="$RUN/unresolved" -v refused="$RUN/peers-from/refused" -v sources="$RUN/peers-from/sources" '
	function family(name, type, help) {
		print "# HELP " name " " help
		print "# TYPE " name " " type
	}
	function each(name, values,    i) {
		for (i = 1; i <= count; i++) if (order[i] in values) print name "{peer=\"" owner[order[i]] "\"} " values[order[i]]
	}
	BEGIN {
		while ((getline line < peers) > 0) {
			key = substr(line, 1, 44)
			if (key in owner) continue
			owner[key] = substr(line, 46)
			order[++count] = key
		}
		while ((getline line < sources) > 0) left_out[line] = 0
		while ((getline line < refused) > 0) {
			split(line, word, "\t")
			left_out[word[1]]++
		}
		if ((getline line < unresolved) > 0) names = split(line, word, " ")
	}
	NR > 1 && ($1 in owner) {
		present++
		endpoint[$1] = $3 != "(none)"
		up[$1] = $5 > 0 && now - $5 < session
		if ($5 > 0) age[$1] = now > $5 ? now - $5 : 0
		received[$1] = $6
		sent[$1] = $7
	}
	END {
		family("wireguard_ready", "gauge", "Whether the server is as its configuration wants it.")
		print "wireguard_ready " ready + 0
		family("wireguard_peers_configured", "gauge", "Peers of the configuration.")
		print "wireguard_peers_configured " count + 0
		family("wireguard_peers_present", "gauge", "Peers of the configuration that the interface has.")
		print "wireguard_peers_present " present + 0
		family("wireguard_endpoints_unresolved", "gauge", "Endpoints whose host names do not resolve.")
		print "wireguard_endpoints_unresolved " names + 0
		family("wireguard_peers_left_out", "gauge", "Peers of a source of peersFrom that break a rule.")
		for (source in left_out) print "wireguard_peers_left_out{source=\"" source "\"} " left_out[source]
		family("wireguard_peer_up", "gauge", "Whether the peer made a handshake in the last 180 seconds.")
		each("wireguard_peer_up", up)
		family("wireguard_peer_endpoint_known", "gauge", "Whether it is known where the peer is reached.")
		each("wireguard_peer_endpoint_known", endpoint)
		family("wireguard_peer_handshake_age_seconds", "gauge", "Seconds since the last handshake of the peer; none yet: no value.")
		each("wireguard_peer_handshake_age_seconds", age)
		family("wireguard_peer_receive_bytes_total", "counter", "Bytes received from the peer.")
		each("wireguard_peer_receive_bytes_total", received)
		family("wireguard_peer_transmit_bytes_total", "counter", "Bytes sent to the peer.")
		each("wireguard_peer_transmit_bytes_total", sent)
	}' >"$HEALTH/metrics.new"; then
		mv -f "$HEALTH/metrics.new" "$HEALTH/metrics" || :
	fi
	umask 077
}

# The first time: what cannot be done ends the container, except that the userspace container gets its time.
start() {
	status "$LIVE" "$READY" "$WHY"
	stamp=$(inputs)
	busy read_inputs || die "$REASON"
	READ=$stamp
	[ -e "$LINK" ] || rm -f "$WANTED"
	waited=0
	while :; do
		busy attempt bring_up
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
		status "$LIVE" 0 "the interface $INTERFACE is missing or down"
		busy attempt bring_up
	elif [ "$stamp" != "$APPLIED" ]; then
		busy attempt apply
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
