#!/bin/sh
# Runs etcd and kube-apiserver until standard input ends, which it does however the process ends that holds its other end.
# Then nothing is left of them, nor of their folder. If kube-apiserver ends by itself, the last lines of both are the error.
#
# api-server.sh FOLDER ETCD PORT PEER_PORT KUBE_APISERVER PORT [FLAG...]
set -eu
# Nobody may be left to read what is said at the end.
trap '' PIPE
folder=$1 etcd=$2 etcd_port=$3 peer_port=$4 kube_apiserver=$5 port=$6
shift 6

cd "$folder"
exec 3<&0
"$etcd" --data-dir etcd --unsafe-no-fsync --logger zap --log-level warn \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "default=http://127.0.0.1:$peer_port" >etcd.log 2>&1 3<&- &
etcd_pid=$!
# Nobody runs the controllers that would take the finalizers away which StorageObjectInUseProtection gives.
"$kube_apiserver" --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --secure-port "$port" \
  --cert-dir certificates --token-auth-file tokens.csv --authorization-mode RBAC --allow-privileged \
  --service-cluster-ip-range 10.96.0.0/16,fd00:96::/112 \
  --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file service-account.key --service-account-signing-key-file service-account.key \
  --disable-admission-plugins StorageObjectInUseProtection "$@" >kube-apiserver.log 2>&1 3<&- &
kube_apiserver_pid=$!
# Asked to stop, kube-apiserver waits for more than a minute for those who watch something.
(
  while read -r _; do :; done <&3
  kill -9 "$kube_apiserver_pid" "$etcd_pid"
) 2>/dev/null &
watcher_pid=$!
exec 3<&-

wait "$kube_apiserver_pid" || true
kill -9 "$watcher_pid" "$etcd_pid" 2>/dev/null || true
wait
tail -n 10 etcd.log kube-apiserver.log >&2 || true
cd /
rm -rf "$folder"
