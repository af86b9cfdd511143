#!/bin/sh
# only.sh FOLDER COMMAND...: of all commands in FOLDER only these stay, and those of busybox take the places of the others,
# as in an image of Alpine. A name that ends in * stands for all that begin so.
set -euf
folder=$1
shift

for directory in usr/bin usr/sbin usr/local/bin usr/local/sbin; do
	# shellcheck disable=SC2012 # names of commands
	ls -A "$folder/$directory" | while read -r command; do
		keep=''
		for wanted; do
			# shellcheck disable=SC2254 # a pattern
			case $command in $wanted) keep=1 ;; esac
		done
		[ -n "$keep" ] || rm -rf "${folder:?}/$directory/$command"
	done
done
for wanted; do
	found=$(set +f && find "$folder/usr/bin" "$folder/usr/sbin" -name "$wanted" | head -n 1)
	[ -n "$found" ] || {
		echo "the packages bring no command $wanted" >&2
		exit 1
	}
done
applets=$(chroot "$folder" /usr/bin/busybox --list)
for name in $applets; do
	[ -e "$folder/usr/bin/$name" ] || [ -e "$folder/usr/sbin/$name" ] || [ -L "$folder/usr/bin/$name" ] ||
		ln -s busybox "$folder/usr/bin/$name"
done
rm -rf "$folder/usr/share/perl5" "$folder/usr/lib/x86_64-linux-gnu/perl-base" "$folder/var/lib/dpkg" "$folder/var/lib/apt" \
	"$folder/etc/apt" "$folder/usr/share/zoneinfo"
