#!/bin/sh
# musl-python.sh FOLDER BASE: Debian's Python compiled with musl, as that of an Alpine is, into FOLDER/usr/lib/musl-python.
set -eu
folder=$1 base=$2

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/compiling.sh"
begin_compiling "$folder/work" "$base" xz-utils
mkdir "$root/build/python"
# Debian's compiler says that it is one for glibc, and Python believes it.
cat >"$root/build/cc" <<'END'
#!/bin/sh
[ "$1" = --print-multiarch ] || exec musl-gcc -isystem /build/headers "$@"
END
chmod 755 "$root/build/cc"
# shellcheck disable=SC2016 # for the shell in there
chroot "$root" sh -euc '
	cd /build
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
end_compiling
rm -rf "$folder/usr/lib/musl-python/share" "$folder/usr/lib/musl-python/include" "$folder"/usr/lib/musl-python/lib/*.a \
	"$folder"/usr/lib/musl-python/lib/python*/config-* "$folder"/usr/lib/musl-python/lib/python*/idlelib
