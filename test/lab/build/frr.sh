#!/bin/sh
# frr.sh FOLDER COMMAND...: a Debian with FRR, FOLDER, laid out as the image of FRR, with these commands only.
set -eu
folder=$1

cat >"$folder/usr/lib/frr/docker-start" <<'END'
#!/bin/bash
source /usr/lib/frr/frrcommon.sh
/usr/lib/frr/watchfrr $(daemon_list)
END
chmod 755 "$folder/usr/lib/frr/docker-start" "$folder/etc/frr"
# An Alpine has no PAM, which would ask a command that is not to stay.
echo 'account sufficient pam_permit.so' >>"$folder/etc/pam.d/frr"
sh "$(dirname "$0")/only.sh" "$@"
ln -sf ../bin/tini "$folder/usr/sbin/tini"
ln -sf ../lib/musl-python/bin/python3 "$folder/usr/bin/python3"
[ -x "$folder/usr/lib/frr/frr-reload.py" ] || {
	echo 'the packages bring no frr-reload.py' >&2
	exit 1
}
