#!/bin/sh
# disk.sh FOLDER NODE GUEST KUBELET KUBE_PROXY IMAGE...: what a virtual machine starts from, into FOLDER: vmlinuz, initrd, disk.img.
#
# NODE is a Debian with the packages of a node, GUEST the folder of our files, IMAGE archives of container images. They are
# imported by the containerd of the node, here, so that no machine imports anything when it starts.
set -eu
folder=$1 node=$2 guest=$3 kubelet=$4 kube_proxy=$5
shift 5

work=$folder/work
mkdir -p "$work/root" "$work/upper" "$work/overlay" "$work/containerd"
mount -t overlay overlay -o "lowerdir=$node,upperdir=$work/upper,workdir=$work/overlay" "$work/root"
root=$work/root

mkdir -p "$root/lab/conf" "$root/etc/cni/net.d" "$root/etc/containerd" "$root/opt/cni" "$root/etc/netns" "$root/var/lib/containerd"
install -m 644 "$guest/inittab" "$root/etc/inittab"
install -m 644 "$guest/containerd.toml" "$root/etc/containerd/config.toml"
install -m 644 "$guest/sshd_config" "$root/etc/ssh/sshd_config"
install -m 755 "$guest/resolvconf" "$root/usr/local/bin/resolvconf"
install -m 755 "$kubelet" "$root/usr/local/bin/kubelet"
install -m 755 "$kube_proxy" "$root/usr/local/bin/kube-proxy"
ln -sfn /usr/lib/cni "$root/opt/cni/bin"
rm -f "$root"/etc/ssh/ssh_host_rsa_key* "$root"/etc/ssh/ssh_host_ecdsa_key*
rm -f "$root/etc/resolv.conf"
ln -sfn /proc/self/mounts "$root/etc/mtab"

# Below containerd's snapshots there must be no overlay.
mount --bind "$work/containerd" "$root/var/lib/containerd"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
chroot "$root" containerd -l warn &
containerd=$!
tries=0
until chroot "$root" ctr version >/dev/null 2>&1; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || {
		echo 'containerd does not start' >&2
		exit 1
	}
	sleep 0.2
done
for image; do
	cp "$image" "$root/tmp/image.tar"
	chroot "$root" ctr -n k8s.io images import --snapshotter overlayfs /tmp/image.tar
done
kill "$containerd"
wait "$containerd" || :
umount "$root/tmp" "$root/run" "$root/sys" "$root/proc"
umount -l "$root/dev"

# A start-up file system with just what finds the disk.
version=$(ls "$root/lib/modules")
cp "$root/boot/vmlinuz-$version" "$folder/vmlinuz"
initrd=$work/initrd
mkdir -p "$initrd/bin" "$initrd/dev" "$initrd/root" "$initrd/modules"
cp "$root/usr/bin/busybox" "$initrd/bin/busybox"
install -m 755 "$guest/initrd-init" "$initrd/init"
number=100
for module in virtio_pci virtio_blk virtio_net ext4; do
	chroot "$root" modprobe --set-version "$version" --show-depends "$module" | while read -r kind file _; do
		[ "$kind" = insmod ] || continue
		name=${file##*/}
		name=${name%.xz}
		[ -z "$(find "$initrd/modules" -name "*-$name")" ] || continue
		number=$(($(find "$initrd/modules" -type f | wc -l) + 100))
		case $file in
		*.xz) xz -dc "$root$file" >"$initrd/modules/$number-$name" ;;
		*) cp "$root$file" "$initrd/modules/$number-$name" ;;
		esac
	done
done
(cd "$initrd" && find . | busybox cpio -o -H newc) >"$folder/initrd"

mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -E lazy_itable_init=1 -d "$root" "$folder/disk.img" 6G
umount "$root/var/lib/containerd"
umount "$root"
cp "$node/packages.txt" "$folder/packages.txt"
rm -rf "$work"
