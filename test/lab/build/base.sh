#!/bin/sh
# base.sh FOLDER ARCHIVE: the smallest Debian 13 in FOLDER, of which nodes and images are made.
set -eu
folder=$1 archive=$2

debootstrap --variant=minbase --include=ca-certificates trixie "$folder" "$archive"
for suite in trixie trixie-updates; do
	echo "deb $archive $suite main"
done >"$folder/etc/apt/sources.list"
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod 755 "$folder/usr/sbin/policy-rc.d"
echo force-unsafe-io >"$folder/etc/dpkg/dpkg.cfg.d/unsafe-io"
for part in doc info locale man; do
	echo "path-exclude=/usr/share/$part/*"
done >"$folder/etc/dpkg/dpkg.cfg.d/without-documentation"
cat >"$folder/etc/apt/apt.conf.d/99lab" <<-'END'
	APT::Install-Recommends "false";
	Acquire::Languages "none";
END
rm -f "$folder/etc/resolv.conf"
rm -rf "$folder/usr/share/doc" "$folder/usr/share/man" "$folder/usr/share/locale" "$folder/usr/share/info"
