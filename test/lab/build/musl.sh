#!/bin/sh
# musl.sh FOLDER BASE: busybox and wg that run with musl as in Alpine, into FOLDER/usr. FOLDER/packages.txt says of which versions.
#
# Busybox is upstream's, without the patches of Debian, and linked statically. Our archive lists the source of wg and does not have
# it: Debian's program is led to musl, which takes the place of glibc for it, and glibc-names.so has the few names that musl lacks.
set -eu
folder=$1 base=$2
names=$(dirname "$0")/glibc-names.c

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/compiling.sh"
begin_compiling "$folder/work" "$base" bzip2 patchelf wireguard-tools
mkdir "$root/build/busybox"
cp "$names" "$root/build"
# shellcheck disable=SC2016 # for the shell in there
chroot "$root" sh -euc '
	cd /build
	apt-get source -q --download-only busybox
	tar -xf busybox_*.orig.tar.* -C busybox --strip-components 1
	make -C busybox defconfig
	# Alpine has no tc of busybox either; it does not compile with the headers of a new kernel.
	sed -i "s/^# CONFIG_STATIC is not set/CONFIG_STATIC=y/; s/^CONFIG_TC=y/# CONFIG_TC is not set/" busybox/.config
	make -C busybox -j "$(nproc)" CC=musl-gcc CFLAGS="-isystem /build/headers" busybox
	musl-gcc -Wall -Os -s -shared -fPIC -o glibc-names.so glibc-names.c
	patchelf --set-interpreter /lib/ld-musl-x86_64.so.1 --add-needed /usr/lib/glibc-names.so --output wg /usr/bin/wg
'

mkdir -p "$folder/usr/bin" "$folder/usr/lib"
cp "$root/build/busybox/busybox" "$root/build/wg" "$folder/usr/bin"
cp "$root/build/glibc-names.so" "$folder/usr/lib"
cp "$root/usr/lib/x86_64-linux-musl/libc.so" "$folder/usr/lib/ld-musl-x86_64.so.1"
# shellcheck disable=SC2016 # dpkg-query's own variables
chroot "$root" dpkg-query -W -f '${Package} ${Version}\n' >"$folder/packages.txt"
sed -n 's/^Version: /busybox /p' "$root"/build/busybox_*.dsc >>"$folder/packages.txt"
end_compiling
