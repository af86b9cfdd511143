#!/bin/sh
# compiling.sh: what musl.sh and musl-python.sh read, to compile in: a Debian made of another one, with sources and a compiler.
set -eu

# begin_compiling WORK BASE PACKAGE...: in WORK/root, with more packages. Its folder build has what programs for musl need.
begin_compiling() {
	work=$1 base=$2
	shift 2
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
	DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -q gcc libc6-dev make musl-tools "$@"
	# Of the headers of the kernel only: the others are those of glibc.
	mkdir -p "$root/build/headers"
	for part in asm-generic linux mtd x86_64-linux-gnu/asm; do
		ln -s "/usr/include/$part" "$root/build/headers"
	done
}

end_compiling() {
	umount "$root/proc" "$root"
	rm -rf "$work"
}
