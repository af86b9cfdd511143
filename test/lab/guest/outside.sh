# The network of the machine outside: its clients hang on a bridge, as hosts of their own; part of rc.sh.
ip link add br0 type bridge
ip link set eth0 master br0 up
ip addr add "$ADDRESS/24" dev br0
ip addr add "$ADDRESS6/64" dev br0 nodad
ip link set br0 up
ip route add default via "$GATEWAY"
ip route add default via "$GATEWAY6"
mkdir -p /var/www
echo "this is $NAME" >/var/www/index.html
busybox httpd -p 80 -h /var/www
