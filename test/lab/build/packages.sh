#!/bin/sh
# packages.sh FOLDER BASE PACKAGE...: a copy of BASE with more packages. FOLDER/packages.txt says which versions it has.
set -eu
folder=$1 base=$2
shift 2

cp -a "$base/." "$folder"
mkdir -p "$folder/etc/initramfs-tools"
echo update_initramfs=no >"$folder/etc/initramfs-tools/update-initramfs.conf"
mount -t proc proc "$folder/proc"
# The machine's own way to the archive.
apt-config dump | grep -i '^Acquire::[^ ]*proxy' >"$folder/etc/apt/apt.conf.d/99machine" || :
cp /etc/resolv.conf "$folder/etc/resolv.conf"
cp /etc/hosts "$folder/etc/hosts"
chroot "$folder" apt-get update -q
DEBIAN_FRONTEND=noninteractive chroot "$folder" apt-get install -y -q -o Dpkg::Options::=--force-confold "$@"
umount "$folder/proc"
# shellcheck disable=SC2016 # dpkg-query's own variables
chroot "$folder" dpkg-query -W -f '${Package} ${Version}\n' >"$folder/packages.txt"
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder/etc/apt/apt.conf.d/99machine" \
	"$folder/etc/resolv.conf" "$folder/etc/hosts"
