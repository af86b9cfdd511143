#!/bin/sh
# trixie.sh FOLDER: the first process of namespaces for processes, mounts and the network, in which FOLDER is the root. What is
# written goes to a layer in memory. All of it ends when this process does. When all is there, it prints its process id as those
# see it who started it.
set -eu
folder=$1
read -r pid _ </proc/self/stat

# Only these namespaces see these mounts.
mount -t tmpfs -o mode=755 tmpfs "$folder/mnt"
mkdir "$folder/mnt/upper" "$folder/mnt/work" "$folder/mnt/root"
mount -t overlay -o "lowerdir=$folder,upperdir=$folder/mnt/upper,workdir=$folder/mnt/work" overlay "$folder/mnt/root"
root=$folder/mnt/root

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
# An absolute link would lead who writes from outside to the machine's own.
ln -sfn ../run "$root/var/run"
mkdir "$root/dev/net"
for device in null zero full random urandom tty net/tun; do
	: >"$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

ip link set lo up
# An address is of use at once.
dad=$root/proc/sys/net/ipv6/conf/default/accept_dad
[ ! -e "$dad" ] || echo 0 >"$dad"

cd "$root"
pivot_root . mnt
umount -l mnt
echo "$pid"
exec tini -- sleep infinity
