#!/bin/sh
# certificates.sh FOLDER API_SERVER_NAMES NODE=NAMES...: an authority and the certificates of all parts, valid for a week.
# NAMES is a subjectAltName of openssl.
set -eu
folder=$1 api_server_names=$2
shift 2
cd "$folder"

key() { openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"; }

key ca
openssl req -x509 -new -key ca.key -subj /CN=kubernetes-ca -days 7 -out ca.crt \
	-addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign

# certificate NAME SUBJECT [NAMES]
certificate() {
	key "$1"
	{
		printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n'
		[ -z "${3:-}" ] || printf 'subjectAltName=%s\n' "$3"
	} >"$1.ext"
	openssl req -new -key "$1.key" -subj "$2" |
		openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 7 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}

certificate kube-apiserver /CN=kube-apiserver "$api_server_names"
certificate kubelet-client /O=system:masters/CN=kubelet-client
certificate admin /O=system:masters/CN=admin
certificate kube-controller-manager /CN=system:kube-controller-manager
certificate kube-scheduler /CN=system:kube-scheduler
certificate kube-proxy /CN=system:kube-proxy
certificate coredns /O=system:masters/CN=coredns
for node; do
	certificate "${node%%=*}" "/O=system:nodes/CN=system:node:${node%%=*}" "${node#*=}"
done
key service-account
openssl ec -in service-account.key -pubout -out service-account.pub 2>/dev/null
