#!/bin/sh
# service.sh NAME: a program of a node, which init starts again when it ends. Other machines have none.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# shellcheck source=/dev/null
. /lab/conf/machine.env
[ "$ROLE" = node ] || exec sleep infinity
exec >>"/var/log/$1.log" 2>&1
# As systemd does: in the root group each of their threads would have more weight than all pods together.
mkdir -p /sys/fs/cgroup/system.slice
echo $$ >/sys/fs/cgroup/system.slice/cgroup.procs
case $1 in
containerd) exec containerd -l warn ;;
kubelet)
	while [ ! -S /run/containerd/containerd.sock ]; do sleep 0.2; done
	exec kubelet --config=/lab/conf/kubelet.json --kubeconfig=/lab/conf/kubelet.kubeconfig --hostname-override="$NAME" \
		--node-ip="$ADDRESS,$ADDRESS6" --housekeeping-interval=30s
	;;
kube-proxy) exec kube-proxy --config=/lab/conf/kube-proxy.json --hostname-override="$NAME" ;;
esac
