#!/bin/sh
# peers-from.sh SETTINGS WG_CONF SOURCES OUT: read the peers of the mounted sources, each a file SOURCES/<source>/<peer>, and
# write into the folder OUT what the good ones add to the configuration, and why the others are left out:
#   wg       to append to wg.conf; pre-shared keys stand in it
#   nft      to append to nftables.conf
#   routes   to append to routes
#   refused  lines <source> TAB <peer> TAB <message>, without a secret
# A status other than 0 says that these files are void.
set -eu
export LC_ALL=C
umask 077

# No entry is longer.
MOST_BYTES=65536

if [ -d "$3" ]; then
	# ..data and what it leads to are the kubelet's own.
	(cd "$3" && find -L . -mindepth 2 -maxdepth 2 -type f ! -name '..*' -exec stat -L -c '%s %n' {} +)
fi |
	awk -v folder="$3" -v most="$MOST_BYTES" '
	{
		size = $1
		path = substr($0, length(size) + 4)
		slash = index(path, "/")
		source = substr(path, 1, slash - 1)
		peer = substr(path, slash + 1)
		problem = text = ""
		if (size + 0 > most) problem = "is too long, got " size " bytes; use " most " or less"
		else if (size + 0 == 0) problem = "is empty; write one entry of `peers` as JSON"
		else {
			# No JSON holds this character, so it is the whole file; some awk end it at a byte 0.
			RS = "\036"
			status = (getline text < (folder "/" path))
			close(folder "/" path)
			RS = "\n"
			if (status != 1 || length(text) != size + 0) problem = "cannot be read as text; write one entry of `peers` as JSON"
		}
		gsub(/[^A-Za-z0-9._-]/, "?", peer)
		gsub(/[\t\n\r]/, " ", text)
		print source "\t" peer "\t" problem "\t" (problem == "" ? text : "")
	}' |
	jq -nrR --slurpfile settings "$1" --rawfile conf "$2" -f "${0%/*}/peers-from.jq" |
	awk -v out="$4" '
	/^\036/ {
		file = substr($0, 2)
		if (file != "end") printf "" > (out "/" file)
		next
	}
	{ print > (out "/" file) }
	END { exit (file != "end") }'
