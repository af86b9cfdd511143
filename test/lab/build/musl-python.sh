#!/bin/sh
# musl-python.sh FOLDER BASE: Debian's Python compiled with musl, as that of an Alpine is, into FOLDER/usr/lib/musl-python.
set -eu
folder=$1 base=$2

work=$folder/work
root=$work/root
mkdir -p "$root" "$work/upper" "$work/overlay"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
# The machine's own way to the archive.
apt-config dump | grep -i '^Acquire::[^ ]*proxy' >"$root/etc/apt/apt.conf.d/99machine" || :
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"
sed 's/^deb /deb-src /' "$root/etc/apt/sources.list" >"$root/etc/apt/sources.list.d/sources.list"
chroot "$root" apt-get update -q
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -q gcc libc6-dev make musl-tools xz-utils
mkdir -p "$root/build/headers" "$root/build/python"
# Debian's compiler says that it is one for glibc, and Python believes it.
cat >"$root/build/cc" <<'END'
#!/bin/sh
[ "$1" = --print-multiarch ] || exec musl-gcc -isystem /build/headers "$@"
END
chmod 755 "$root/build/cc"
# shellcheck disable=SC2016 # for the shell in there
chroot "$root" sh -euc '
	cd /build
	for part in asm-generic linux x86_64-linux-gnu/asm; do
		ln -s "/usr/include/$part" headers
	done
	apt-get source -q --download-only python3.13
	tar -xf python3.13_*.orig.tar.xz -C python --strip-components 1
	cd python
	./configure -q --prefix=/usr/lib/musl-python --without-ensurepip --disable-test-modules CC=/build/cc
	make -s -j "$(nproc)"
	make -s install DESTDIR=/build/made
'

mkdir -p "$folder/usr/lib"
cp -a "$root/build/made/usr/lib/musl-python" "$folder/usr/lib"
sed -n 's/^Version: /python /p' "$root"/build/python3.13_*.dsc >"$folder/packages.txt"
umount "$root/proc" "$root"
rm -rf "$work" "$folder/usr/lib/musl-python/share" "$folder/usr/lib/musl-python/include" "$folder"/usr/lib/musl-python/lib/*.a \
	"$folder"/usr/lib/musl-python/lib/python*/config-* "$folder"/usr/lib/musl-python/lib/python*/idlelib
