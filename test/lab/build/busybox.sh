#!/bin/sh
# busybox.sh FOLDER BASE: busybox and nothing else, laid out as in its image. BASE has it.
set -eu
folder=$1 base=$2

for directory in bin dev etc home proc root sys tmp usr/sbin var/spool/mail var/www; do
	mkdir -p "$folder/$directory"
done
chmod 1777 "$folder/tmp"
cp "$base/usr/bin/busybox" "$folder/bin/busybox"
"$folder/bin/busybox" --list | while read -r applet; do
	[ "$applet" = busybox ] || ln "$folder/bin/busybox" "$folder/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/home:/bin/false' >"$folder/etc/passwd"
echo 'root:x:0:
nobody:x:65534:' >"$folder/etc/group"
