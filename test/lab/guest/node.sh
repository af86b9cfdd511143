# The network of a node, as flannel with the back end host-gw makes it; part of rc.sh.
modprobe -a overlay br_netfilter nf_conntrack xt_comment xt_mark xt_nat xt_MASQUERADE xt_conntrack xt_addrtype \
	xt_statistic nf_tables nft_compat
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.bridge.bridge-nf-call-iptables=1 \
	net.bridge.bridge-nf-call-ip6tables=1 fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288 \
	kernel.panic=10 kernel.panic_on_oops=1 vm.overcommit_memory=1 kernel.printk='3 4 1 3'
ip addr add "$ADDRESS/24" dev eth0
ip addr add "$ADDRESS6/64" dev eth0 nodad
ip link set eth0 up
ip route add default via "$GATEWAY"
ip route add default via "$GATEWAY6"
# DESTINATION=NODE for the pods of each other node.
for route in $POD_ROUTES; do
	ip route add "${route%=*}" via "${route#*=}"
done

# masquerade COMMAND ALL_PODS OWN_PODS MULTICAST
masquerade() {
	"$1" -t nat -N FLANNEL-POSTRTG
	"$1" -t nat -A POSTROUTING -j FLANNEL-POSTRTG
	"$1" -t nat -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -j RETURN
	"$1" -t nat -A FLANNEL-POSTRTG -s "$3" -d "$2" -j RETURN
	"$1" -t nat -A FLANNEL-POSTRTG -s "$2" -d "$3" -j RETURN
	"$1" -t nat -A FLANNEL-POSTRTG ! -s "$2" -d "$3" -j RETURN
	"$1" -t nat -A FLANNEL-POSTRTG -s "$2" ! -d "$4" -j MASQUERADE --random-fully
	"$1" -t nat -A FLANNEL-POSTRTG ! -s "$2" -d "$2" -j MASQUERADE --random-fully
}
masquerade iptables "$PODS" "$OWN_PODS" 224.0.0.0/4
masquerade ip6tables "$PODS6" "$OWN_PODS6" ff00::/8
mkdir -p /etc/cni/net.d
cp /lab/conf/10-bridge.conflist /etc/cni/net.d/
