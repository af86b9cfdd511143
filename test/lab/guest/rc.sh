#!/bin/sh
# The start of a virtual machine: init has unpacked the second disk to /lab/conf, and /proc is there.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/console 2>&1

mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for directory in /dev/shm /run /tmp; do
	mount -t tmpfs -o mode=1777 tmpfs "$directory"
done
chmod 755 /run
mkdir -p /run/sshd /run/lock
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount --make-rshared /
ln -sfn /proc/self/fd /dev/fd

# shellcheck source=/dev/null
. /lab/conf/machine.env
hostname "$NAME"
echo "$NAME" >/etc/hostname
printf '127.0.0.1 localhost\n::1 localhost\n%s %s\n' "$ADDRESS" "$NAME" >/etc/hosts
printf '%s\n' "$MACHINE_ID" >/etc/machine-id
: >/etc/resolv.conf
install -d -m 700 /root/.ssh
install -m 600 /lab/conf/authorized_keys /root/.ssh/authorized_keys

ip link set lo up
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0
modprobe virtio_rng
# shellcheck source=/dev/null
. "/lab/conf/$ROLE.sh"
echo "machine $NAME is up after $(cut -d ' ' -f 1 /proc/uptime) s"
