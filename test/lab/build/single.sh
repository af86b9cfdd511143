#!/bin/sh
# single.sh FOLDER PROGRAM NAME [CAPABILITY]: one statically linked program, as in an image without a shell.
set -eu
folder=$1 program=$2 name=$3 capability=${4:-}

mkdir -p "$folder/etc/ssl/certs" "$folder/tmp"
chmod 1777 "$folder/tmp"
install -m 755 "$program" "$folder/$name"
[ -z "$capability" ] || setcap "$capability" "$folder/$name"
echo 'root:x:0:0:root:/root:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$folder/etc/passwd"
echo 'root:x:0:
nonroot:x:65532:' >"$folder/etc/group"
