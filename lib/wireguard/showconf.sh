#!/bin/sh
# showconf.sh PEER [--qr] [--endpoint HOST:PORT]: the file of a client whose keys are made here, or its QR code, on standard
# output. Run it in the server's container. For tests only: TEST_ROOT stands before /etc and /var.
set -euf
export LC_ALL=C

PROGRAM=${0##*/}
INTERFACE=${INTERFACE:-wg0}
CLIENTS=${TEST_ROOT:-}/etc/wireguard/config/clients.conf
GENERATED=${TEST_ROOT:-}/var/lib/wireguard

die() {
	printf '%s: %s\n' "$PROGRAM" "$*" >&2
	exit 1
}

is_endpoint() {
	case $1 in
	*[!][A-Za-z0-9.:-]*) return 1 ;;
	esac
	printf '%s\n' "$1" | grep -Eqx '([A-Za-z0-9]+([.-]+[A-Za-z0-9]+)*|\[[0-9A-Fa-f:]+\]):[1-9][0-9]{0,4}' || return 1
	[ "${1##*:}" -le 65535 ]
}

# The file of the peer: the lines behind its name, with what they leave open put in.
client_file() {
	awk -v name="$1" -v endpoint="$2" -v public="$3" -v keys="$GENERATED/peers/$1" '
	function key_in(file,    line) {
		if ((getline line < file) <= 0 || length(line) != 44 || substr(line, 1, 43) ~ "[^A-Za-z0-9+/]") exit 1
		close(file)
		return line
	}
	/^# name = / { mine = substr($0, 10) == name; next }
	!mine { next }
	$0 == "PrivateKey = (private key)" { $0 = "PrivateKey = " key_in(keys "/private-key") }
	$0 == "PublicKey = (public key of the server)" { $0 = "PublicKey = " public }
	$0 == "PresharedKey = (pre-shared key)" { $0 = "PresharedKey = " key_in(keys "/preshared-key") }
	/^Endpoint = / && endpoint != "" { $0 = "Endpoint = " endpoint }
	# Blank lines only between lines: those behind the last one lead to the next file.
	$0 == "" { blank = 1; next }
	{
		if (blank) print ""
		blank = 0
		print
	}' "$CLIENTS"
}

main() {
	peer='' endpoint='' qr=''
	while [ $# -gt 0 ]; do
		case $1 in
		--qr) qr=1 ;;
		--endpoint)
			[ -n "${2:-}" ] || die '--endpoint needs HOST:PORT behind it'
			endpoint=$2
			shift
			;;
		-* | '') die "no such option: $1; use PEER [--qr] [--endpoint HOST:PORT]" ;;
		*)
			[ -z "$peer" ] || die "one peer at a time: $peer, and no $1"
			peer=$1
			;;
		esac
		shift
	done
	[ -r "$CLIENTS" ] || die 'no peer of the values has generate: true, so there are no files of clients here'
	names=$(sed -n 's/^# name = //p' "$CLIENTS" | tr '\n' ' ')
	[ -n "$peer" ] || die "name one of: ${names% }"
	case $peer in
	*[!a-z0-9-]*) ;;
	*) ! grep -qx "# name = $peer" "$CLIENTS" || known=1 ;;
	esac
	[ -n "${known:-}" ] || die "$peer: no peer of this name has its keys made here; name one of: ${names% }"
	if [ -n "$endpoint" ]; then
		is_endpoint "$endpoint" || die "--endpoint is not HOST:PORT: $endpoint"
	elif grep -qx 'Endpoint = (endpoint)' "$CLIENTS"; then
		die 'it is not known where clients reach the server: set the value endpoint, or add --endpoint HOST:PORT'
	fi
	[ -r "$GENERATED/peers/$peer/private-key" ] || die "the keys of $peer are not there: see the log of the server for the reason"
	public=$(wg show "$INTERFACE" public-key 2>/dev/null) || public=''
	[ "${#public}" -eq 44 ] || die "the interface $INTERFACE has no key yet: see the log of the server"
	file=$(client_file "$peer" "$endpoint" "$public") || die "the keys of $peer cannot be read: see the log of the server"
	if [ -z "$qr" ]; then
		printf '%s\n' "$file"
	else
		command -v qrencode >/dev/null || die 'the image has no command qrencode: leave out --qr'
		printf '%s\n' "$file" | qrencode -t ansiutf8 2>/dev/null || die "the file is too long for a QR code: give fewer networks in client.allowedIPs"
	fi
}

main "$@"
