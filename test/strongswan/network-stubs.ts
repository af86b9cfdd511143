/** Stand-ins of ip and nft, which write down what they are asked. STUB is the folder in which they keep it. */

/** Links are folders below sys/class/net, routes and addresses lines of files; a line of `fails` makes a command fail. */
export const IP = `#!/bin/sh
echo "ip $*" >>"$STUB/log"
[ ! -e "$STUB/fails" ] || ! printf '%s\\n' "$*" | grep -q -f "$STUB/fails" || { echo 'RTNETLINK answers: Operation not supported' >&2; exit 2; }
case "$*" in
'-o route show default') echo 'default via 169.254.1.1 dev eth0' ;;
'-o -6 route show default') ;;
'link add '*) mkdir -p "$STUB/sys/class/net/$3" ;;
'link delete dev '*) rmdir "$STUB/sys/class/net/$4" ;;
'route replace '*) echo "\${*#route replace }" >>"$STUB/routes"; sort -u -o "$STUB/routes" "$STUB/routes" ;;
'route delete '*) grep -vxF "\${*#route delete }" "$STUB/routes" >"$STUB/routes.new"; mv "$STUB/routes.new" "$STUB/routes" ;;
'route show proto '*) cat "$STUB/routes" 2>/dev/null ;;
esac
exit 0
`;
/** What is loaded is a file. */
export const NFT = `#!/bin/sh
echo "nft $*" >>"$STUB/log"
case "$*" in
'list table inet vpn') [ -e "$STUB/filter" ] ;;
*) for file; do :; done; cp "$file" "$STUB/filter" ;;
esac
`;
