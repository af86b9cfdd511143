#!/bin/sh
# install-cni.sh: makes Kilo the network plugin of the node.
#
# PROGRAMS       folder of the image with the programs of network plugins
# CONFIGURATION  the configuration; kg writes the pod network of the node into the copy on the node
# STATE          folder of the node where Kilo keeps what it has to know
# NODE_PROGRAMS, NODE_CONFIGURATIONS  folders of the node from which the container runtime takes them

set -eu
export LC_ALL=C

name=${CONFIGURATION##*/}

# The runtime takes the first of them in this order.
first=$({
	for file in "$NODE_CONFIGURATIONS"/*.conf "$NODE_CONFIGURATIONS"/*.conflist "$NODE_CONFIGURATIONS"/*.json; do
		[ ! -e "$file" ] || printf '%s\n' "${file##*/}"
	done
	printf '%s\n' "$name"
} | sort | head -n 1)
if [ "$first" != "$name" ]; then
	printf 'install-cni: %s comes before %s, so that Kilo would not be the network plugin; remove it from the node, or set cni.plugin to the one that it is of\n' \
		"$first" "$name" >&2
	exit 1
fi

# By a move each, since a program may run right now.
for program in "$PROGRAMS"/*; do
	copy=$NODE_PROGRAMS/.kilo-${program##*/}
	cp "$program" "$copy"
	mv -f "$copy" "$NODE_PROGRAMS/${program##*/}"
done

# Without the pod network no pod starts, so a copy that has it stays.
if [ ! -e "$NODE_CONFIGURATIONS/$name" ] || ! cmp -s "$CONFIGURATION" "$STATE/$name"; then
	cp "$CONFIGURATION" "$NODE_CONFIGURATIONS/.$name"
	mv -f "$NODE_CONFIGURATIONS/.$name" "$NODE_CONFIGURATIONS/$name"
	cp "$CONFIGURATION" "$STATE/$name"
fi
