#!/bin/sh
# keeper.sh FOLDER: the first process of the laboratory's namespaces. All of it ends when this process does: processes,
# devices, mounts. FOLDER/ready appears when the networks are there.
set -eu
folder=$1
# shellcheck source=/dev/null
. "$folder/networks.env"

mount -t tmpfs tmpfs "$folder/memory"
ip link set lo up
# Both families, and a router between the nodes and what lies outside. Nothing leads from here to the machine.
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip link add nodes type bridge
ip addr add "$GATEWAY/24" dev nodes
ip addr add "$GATEWAY6/64" dev nodes nodad
ip link add outside type bridge
ip addr add "$OUTSIDE_GATEWAY/24" dev outside
ip addr add "$OUTSIDE_GATEWAY6/64" dev outside nodad
ip link set nodes up
ip link set outside up
ip route add "$WORLD" via "$OUTSIDE_ADDRESS"
ip route add "$WORLD6" via "$OUTSIDE_ADDRESS6"
# Until there is one, which has a route of its own.
ip route add blackhole "$LOAD_BALANCERS"
ip route add blackhole "$LOAD_BALANCERS6"
: >"$folder/ready"

# Whose parents have gone is a child of this process, and has to be waited for.
while :; do
	sleep 86400 &
	wait
done
