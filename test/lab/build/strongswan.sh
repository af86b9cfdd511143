#!/bin/sh
# strongswan.sh FOLDER PLUGIN...: a Debian with strongSwan, FOLDER, laid out as an image whose strongSwan is built from source, with
# these plugins only.
set -eu
folder=$1
shift

mkdir -p "$folder/usr/libexec/ipsec"
mv "$folder/usr/lib/ipsec/charon" "$folder/usr/libexec/ipsec/charon"
ln -s /usr/libexec/ipsec/charon "$folder/charon"
for settings in "$folder"/etc/strongswan.d/charon/*.conf; do
	plugin=${settings##*/}
	plugin=${plugin%.conf}
	keep=''
	for wanted; do
		[ "$wanted" != "$plugin" ] || keep=1
	done
	# Its file stays, for swanctl has a list of its own and would complain.
	[ -n "$keep" ] || rm -f "$settings"
done
for wanted; do
	[ -e "$folder/etc/strongswan.d/charon/$wanted.conf" ] || {
		echo "the packages bring no plugin $wanted" >&2
		exit 1
	}
done
# What the image does not have. The commands of packages that others ask for go too.
rm -f "$folder"/usr/sbin/ip*tables* "$folder"/usr/sbin/xtables* "$folder/usr/sbin/ipsec"
for absent in busybox curl iptables jq nft python3 wget; do
	found=$(find "$folder/usr/bin" "$folder/usr/sbin" -name "$absent*")
	[ -z "$found" ] || {
		echo "the image has no $absent, and here are $found" >&2
		exit 1
	}
done
rm -rf "$folder/var/lib/apt" "$folder/usr/share/zoneinfo"
