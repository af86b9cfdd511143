# The network of the machine outside: its clients hang on a bridge, as hosts of their own; part of rc.sh.
ip link add br0 type bridge
ip link set eth0 master br0 up
ip addr add "$ADDRESS/24" dev br0
ip addr add "$ADDRESS6/64" dev br0 nodad
ip link set br0 up
ip route add default via "$GATEWAY"
ip route add default via "$GATEWAY6"
# A web server far away, which tells who asks.
ip addr add "$WORLD/32" dev lo
ip addr add "$WORLD6/128" dev lo
mkdir -p /var/www/cgi-bin
cat >/var/www/cgi-bin/who <<-'END'
	#!/bin/sh
	printf 'Content-Type: text/plain\n\n%s' "$(echo "$REMOTE_ADDR" | tr -d '[]' | sed 's/^::ffff://')"
END
chmod 755 /var/www/cgi-bin/who
busybox httpd -p 80 -h /var/www
