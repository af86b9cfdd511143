{{- define "wireguard.fullname" -}}
{{- if not (kindIs "invalid" $.Values.fullnameOverride) }}
{{- $.Values.fullnameOverride }}
{{- else }}
{{- if contains (include "wireguard.name" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "wireguard.name" $) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "wireguard.labels" -}}
{{- range $key, $value := $.Values.commonLabels }}
{{- if not (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
helm.sh/chart: {{ replace "+" "_" (printf "%s-%s" $.Chart.Name $.Chart.Version) | quote }}
app.kubernetes.io/name: {{ include "wireguard.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "wireguard.wgConf" -}}
[Interface]
ListenPort = {{ $.Values.listenPort | int64 }}
{{- range $name, $peer := $.Values.peers }}

# name = {{ $name }}
{{- if not (kindIs "invalid" ($peer.presharedKey).existingSecret) }}
# preshared-key = preshared-keys/{{ ($peer.presharedKey).existingSecret }}/{{ ternary "preshared-key" ($peer.presharedKey).key (kindIs "invalid" ($peer.presharedKey).key) }}
{{- end }}
{{- if not (kindIs "invalid" ($peer.presharedKey).value) }}
# preshared-key = given-keys/{{ printf "preshared-key.%s" $name }}
{{- end }}
[Peer]
PublicKey = {{ $peer.publicKey }}
AllowedIPs = {{ join ", " $peer.addresses }}
{{- range $routedNetwork := $peer.routedNetworks }}
AllowedIPs = {{ $routedNetwork }}
{{- end }}
{{- if not (kindIs "invalid" $peer.endpoint) }}
Endpoint = {{ $peer.endpoint }}
{{- end }}
{{- if not (kindIs "invalid" $peer.persistentKeepaliveSeconds) }}
PersistentKeepalive = {{ $peer.persistentKeepaliveSeconds | int64 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "wireguard.nftablesConf" -}}
table inet vpn
delete table inet vpn
table inet vpn {
  # Which rules a restricted peer must pass, by the address it sends from.
  map restricted4 {
    type ipv4_addr : verdict
    flags interval
{{- $found := false }}
{{- range $peer := $.Values.peers }}
{{- $found2 := false }}
{{- range $address := $peer.addresses }}
{{- if not (contains ":" $address) }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- $found3 := false }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if not (contains ":" $routedNetwork) }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- if and (not (kindIs "invalid" $peer.allow)) (or $found2 $found3) }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- if $found }}
    elements = {
{{- range $name, $peer := $.Values.peers }}
{{- if not (kindIs "invalid" $peer.allow) }}
{{- range $address := $peer.addresses }}
{{- if not (contains ":" $address) }}
      {{ $address }} : goto peer-{{ $name }},
{{- end }}
{{- end }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if not (contains ":" $routedNetwork) }}
      {{ $routedNetwork }} : goto peer-{{ $name }},
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  map restricted6 {
    type ipv6_addr : verdict
    flags interval
{{- $found2 := false }}
{{- range $peer := $.Values.peers }}
{{- $found3 := false }}
{{- range $address := $peer.addresses }}
{{- if contains ":" $address }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- $found4 := false }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if contains ":" $routedNetwork }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- if and (not (kindIs "invalid" $peer.allow)) (or $found3 $found4) }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- if $found2 }}
    elements = {
{{- range $name, $peer := $.Values.peers }}
{{- if not (kindIs "invalid" $peer.allow) }}
{{- range $address := $peer.addresses }}
{{- if contains ":" $address }}
      {{ $address }} : goto peer-{{ $name }},
{{- end }}
{{- end }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if contains ":" $routedNetwork }}
      {{ $routedNetwork }} : goto peer-{{ $name }},
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
{{- range $name, $peer := $.Values.peers }}
{{- if not (kindIs "invalid" $peer.allow) }}
  chain peer-{{ $name }} {
{{- range $name2, $allow := $peer.allow }}
    # {{ $name2 }}
{{- range $network := $allow.networks }}
{{- if not (kindIs "invalid" $allow.ports) }}
{{- range $port := $allow.ports }}
{{- if not (kindIs "invalid" $port.endPort) }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $network)) $network }} {{ ternary "udp" "tcp" (eq (ternary "TCP" $port.protocol (kindIs "invalid" $port.protocol)) "UDP") }} dport {{ $port.port | int64 }}-{{ $port.endPort | int64 }} accept
{{- else }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $network)) $network }} {{ ternary "udp" "tcp" (eq (ternary "TCP" $port.protocol (kindIs "invalid" $port.protocol)) "UDP") }} dport {{ $port.port | int64 }} accept
{{- end }}
{{- end }}
{{- else }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $network)) $network }} accept
{{- end }}
{{- end }}
{{- range $peer2 := $allow.peers }}
{{- range $address := (index $.Values.peers $peer2).addresses }}
{{- if not (kindIs "invalid" $allow.ports) }}
{{- range $port := $allow.ports }}
{{- if not (kindIs "invalid" $port.endPort) }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $address)) $address }} {{ ternary "udp" "tcp" (eq (ternary "TCP" $port.protocol (kindIs "invalid" $port.protocol)) "UDP") }} dport {{ $port.port | int64 }}-{{ $port.endPort | int64 }} accept
{{- else }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $address)) $address }} {{ ternary "udp" "tcp" (eq (ternary "TCP" $port.protocol (kindIs "invalid" $port.protocol)) "UDP") }} dport {{ $port.port | int64 }} accept
{{- end }}
{{- end }}
{{- else }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $address)) $address }} accept
{{- end }}
{{- end }}
{{- range $routedNetwork := (index $.Values.peers $peer2).routedNetworks }}
{{- if not (kindIs "invalid" $allow.ports) }}
{{- range $port := $allow.ports }}
{{- if not (kindIs "invalid" $port.endPort) }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $routedNetwork)) $routedNetwork }} {{ ternary "udp" "tcp" (eq (ternary "TCP" $port.protocol (kindIs "invalid" $port.protocol)) "UDP") }} dport {{ $port.port | int64 }}-{{ $port.endPort | int64 }} accept
{{- else }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $routedNetwork)) $routedNetwork }} {{ ternary "udp" "tcp" (eq (ternary "TCP" $port.protocol (kindIs "invalid" $port.protocol)) "UDP") }} dport {{ $port.port | int64 }} accept
{{- end }}
{{- end }}
{{- else }}
    {{ printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" $routedNetwork)) $routedNetwork }} accept
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    drop
  }
{{- end }}
{{- end }}
  # Answers pass; what a restricted peer sends of its own accord is judged packet by packet, so that a rule that is
  # taken away ends the connections that it allowed.
  chain access {
    ct state related accept
    ct state established ct direction reply accept
    ip saddr vmap @restricted4
    ip6 saddr vmap @restricted6
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "{{ $.Values.interfaceName }}" goto access
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "{{ $.Values.interfaceName }}" goto access
  }
  chain clamp {
    type filter hook forward priority mangle; policy accept;
    iifname "{{ $.Values.interfaceName }}" meta nfproto ipv4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
    oifname "{{ $.Values.interfaceName }}" meta nfproto ipv4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
    iifname "{{ $.Values.interfaceName }}" meta nfproto ipv6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
    oifname "{{ $.Values.interfaceName }}" meta nfproto ipv6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
  }
{{- if eq $.Values.mode "masquerade" }}
  set clients4 {
    type ipv4_addr
    flags interval
    auto-merge
    elements = {
      {{ $.Values.network }},
{{- range $peer := $.Values.peers }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if not (contains ":" $routedNetwork) }}
      {{ $routedNetwork }},
{{- end }}
{{- end }}
{{- end }}
    }
  }
  set clients6 {
    type ipv6_addr
    flags interval
    auto-merge
{{- $found3 := false }}
{{- range $peer := $.Values.peers }}
{{- $found4 := false }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if contains ":" $routedNetwork }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- if $found4 }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- if or (not (kindIs "invalid" $.Values.network6)) $found3 }}
    elements = {
{{- if not (kindIs "invalid" $.Values.network6) }}
      {{ $.Values.network6 }},
{{- end }}
{{- range $peer := $.Values.peers }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{- if contains ":" $routedNetwork }}
      {{ $routedNetwork }},
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr @clients4 oifname != "{{ $.Values.interfaceName }}" masquerade
    ip6 saddr @clients6 oifname != "{{ $.Values.interfaceName }}" masquerade
  }
{{- end }}
}
{{- end }}

{{- define "wireguard.routes" -}}
# Networks behind the peers.
{{- range $peer := $.Values.peers }}
{{- range $routedNetwork := $peer.routedNetworks }}
{{ $routedNetwork }}
{{- end }}
{{- end }}
{{- end }}

{{- define "wireguard.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wireguard.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
{{- end }}

{{- define "wireguard.labelsWith" -}}
{{- $extra := .extra -}}
{{- range $key, $value := $.Values.commonLabels }}
{{- if not (or (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") (hasKey $extra $key)) }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range $key, $value := $extra }}
{{- if not (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
helm.sh/chart: {{ replace "+" "_" (printf "%s-%s" $.Chart.Name $.Chart.Version) | quote }}
app.kubernetes.io/name: {{ include "wireguard.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "wireguard.image" -}}
{{- if not (kindIs "invalid" $.Values.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.image.repository $.Values.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.image.repository $.Values.image.tag }}
{{- end }}
{{- end }}

{{- define "wireguard.addresses" -}}
{{- if not (kindIs "invalid" $.Values.network6) }}
{{- printf "%s/%d %s/%d" (include "wireguard.firstHost" $.Values.network) (int64 (include "wireguard.prefixLength" $.Values.network)) (include "wireguard.firstHost" $.Values.network6) (int64 (include "wireguard.prefixLength" $.Values.network6)) }}
{{- else }}
{{- printf "%s/%d" (include "wireguard.firstHost" $.Values.network) (int64 (include "wireguard.prefixLength" $.Values.network)) }}
{{- end }}
{{- end }}

{{- define "wireguard.healthImage" -}}
{{- if not (kindIs "invalid" $.Values.health.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.health.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.health.image.repository $.Values.health.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.health.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.health.image.repository $.Values.health.image.tag }}
{{- end }}
{{- end }}

{{- define "wireguard.userspaceImage" -}}
{{- if not (kindIs "invalid" $.Values.userspace.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.userspace.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) (ternary "" $.Values.userspace.image.repository (kindIs "invalid" $.Values.userspace.image.repository)) $.Values.userspace.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.userspace.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) (ternary "" $.Values.userspace.image.repository (kindIs "invalid" $.Values.userspace.image.repository)) $.Values.userspace.image.tag }}
{{- end }}
{{- end }}

{{- define "wireguard.privateKeySecret" -}}
{{- if not (kindIs "invalid" $.Values.privateKey.existingSecret) }}
{{- $.Values.privateKey.existingSecret }}
{{- else }}
{{- printf "%s-private-key" (include "wireguard.fullname" $) }}
{{- end }}
{{- end }}

{{- define "wireguard.notes" -}}
WireGuard server {{ include "wireguard.fullname" $ }} in namespace {{ $.Release.Namespace }}, with {{ int64 (len $.Values.peers) }} peers.
{{- if kindIs "invalid" $.Values.privateKey.value }}

The pod waits for the Secret {{ include "wireguard.privateKeySecret" $ }}, which holds the server's private key. To make it:

  wg genkey | kubectl -n {{ $.Release.Namespace }} create secret generic {{ include "wireguard.privateKeySecret" $ }} --from-file={{ $.Values.privateKey.key }}=/dev/stdin
{{- end }}

1. See that it is ready:

     kubectl -n {{ $.Release.Namespace }} rollout status deployment/{{ include "wireguard.fullname" $ }}
     helm test {{ $.Release.Name }} -n {{ $.Release.Namespace }}

2. Its public key, for the clients:

     kubectl -n {{ $.Release.Namespace }} exec deploy/{{ include "wireguard.fullname" $ }} -c wireguard -- wg show {{ $.Values.interfaceName }} public-key

3. Where the clients find it, by UDP:
{{- if and (eq $.Values.service.type "LoadBalancer") $.Values.service.enabled }}

   The address of the load balancer, port {{ $.Values.service.port | int64 }}:
     kubectl -n {{ $.Release.Namespace }} get service {{ include "wireguard.fullname" $ }} -o jsonpath='{.status.loadBalancer.ingress[0]}'
{{- end }}
{{- if and (eq $.Values.service.type "NodePort") $.Values.service.enabled }}

   The address of any node, and the node port:
     kubectl -n {{ $.Release.Namespace }} get service {{ include "wireguard.fullname" $ }} -o jsonpath='{.spec.ports[0].nodePort}'
{{- end }}
{{- if and (eq $.Values.service.type "ClusterIP") $.Values.service.enabled }}

   Inside the cluster only: {{ include "wireguard.fullname" $ }}.{{ $.Release.Namespace }}.svc, port {{ $.Values.service.port | int64 }}
{{- end }}
{{- if not (kindIs "invalid" $.Values.hostPort) }}

   The address of the pod's node, port {{ $.Values.hostPort | int64 }}:
     kubectl -n {{ $.Release.Namespace }} get pod -l app.kubernetes.io/instance={{ $.Release.Name }} -o jsonpath='{.items[0].status.hostIP}'
{{- end }}
{{- if and (not $.Values.service.enabled) (kindIs "invalid" $.Values.hostPort) }}

   Nowhere yet: set service.enabled or hostPort.
{{- end }}
{{- if not $.Values.peers }}

4. No peer is configured yet: add one to peers, and run helm upgrade.
{{- else }}

4. Who is connected:

     kubectl -n {{ $.Release.Namespace }} exec deploy/{{ include "wireguard.fullname" $ }} -c wireguard -- wg show {{ $.Values.interfaceName }} latest-handshakes
{{- end }}
{{- range $name, $peer := $.Values.peers }}
{{- if not (kindIs "invalid" $peer.allow) }}

Peer {{ $name }} may reach only what its rules allow.
{{- end }}
{{- end }}
{{- if eq $.Values.ipForwarding.method "init" }}

The init container ip-forwarding is privileged. Where Pod Security is enforced, the namespace needs a label:

  kubectl label namespace {{ $.Release.Namespace }} pod-security.kubernetes.io/enforce=privileged
{{- end }}
{{- end }}

{{- define "wireguard.name" -}}
{{- if not (kindIs "invalid" $.Values.nameOverride) }}
{{- $.Values.nameOverride }}
{{- else }}
{{- "wireguard" }}
{{- end }}
{{- end }}

{{- define "wireguard.textBlock" -}}
{{- if regexMatch "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}\\x{2028}\\x{2029}\\x{feff}]" . }}
{{- fail "a value with a control character or a line separator would break a configuration file; install with schema validation to see which" }}
{{- end }}
{{- . }}
{{- end }}

{{- define "wireguard.networkBits" -}}
{{- $parts := splitList "/" . }}
{{- $address := index $parts 0 }}
{{- $bits := "" }}
{{- if contains ":" $address }}
  {{- $bits = "6." }}
  {{- $groups := without (splitList ":" $address) "" }}
  {{- $zeros := repeat (int (sub 8 (len $groups))) "0:" }}
  {{- range $group := splitList ":" (trimAll ":" (replace "::" (printf ":%s" $zeros) $address)) }}
    {{- $bits = printf "%s%016b" $bits (int64 (printf "0x%s" $group)) }}
  {{- end }}
{{- else }}
  {{- $octets := splitList "." $address }}
  {{- $bits = printf "4.%08b%08b%08b%08b" (int64 (index $octets 0)) (int64 (index $octets 1)) (int64 (index $octets 2)) (int64 (index $octets 3)) }}
{{- end }}
{{- if eq (len $parts) 2 }}
  {{- $bits = trunc (int (add 2 (index $parts 1))) $bits }}
{{- end }}
{{- $bits }}
{{- end }}

{{- define "wireguard.prefixLength" -}}
{{- if contains "/" . }}
{{- last (splitList "/" .) }}
{{- else }}
{{- ternary "128" "32" (contains ":" .) }}
{{- end }}
{{- end }}

{{- define "wireguard.firstHost" -}}
{{- $address := first (splitList "/" .) }}
{{- if and (hasSuffix "::" $address) (eq (len (splitList ":" $address)) 9) }}
{{- printf "%s1" (trimSuffix ":" $address) }}
{{- else if hasSuffix "::" $address }}
{{- printf "%s1" $address }}
{{- else if contains ":" $address }}
{{- $groups := splitList ":" $address }}
{{- printf "%s:%x" (join ":" (initial $groups)) (add 1 (int64 (printf "0x%s" (last $groups)))) }}
{{- else }}
{{- $octets := splitList "." $address }}
{{- printf "%s.%d" (join "." (initial $octets)) (add 1 (int64 (last $octets))) }}
{{- end }}
{{- end }}
