{{- define "wireguard.fullname" -}}
{{- if not (kindIs "invalid" $.Values.fullnameOverride) }}
{{- $.Values.fullnameOverride }}
{{- else if contains (include "wireguard.name" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "wireguard.name" $) }}
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
{{- if $.Values.privateKey.generate }}
# generated
{{- end }}
{{- if not (kindIs "invalid" $.Values.serverPublicKey) }}
# public-key = {{ $.Values.serverPublicKey }}
{{- end }}
ListenPort = {{ $.Values.listenPort | int64 }}
{{- range $name, $peer := $.Values.peers }}

# name = {{ $name }}
{{- if not (kindIs "invalid" ($peer.presharedKey).existingSecret) }}
# preshared-key = preshared-keys/{{ ($peer.presharedKey).existingSecret }}/{{ ternary "preshared-key" ($peer.presharedKey).key (kindIs "invalid" ($peer.presharedKey).key) }}
{{- end }}
{{- if not (kindIs "invalid" ($peer.presharedKey).value) }}
# preshared-key = given-keys/{{ printf "preshared-key.%s" $name }}
{{- end }}
{{- if $peer.generate }}
# generated
{{- end }}
[Peer]
{{- if not (kindIs "invalid" $peer.publicKey) }}
PublicKey = {{ $peer.publicKey }}
{{- end }}
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
{{- if eq $.Values.dns.mode "coredns" }}
  # Clients ask the server's own address, port 53.
  chain dns {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "{{ $.Values.interfaceName }}" ip daddr {{ include "wireguard.firstHost" $.Values.network }} meta l4proto { tcp, udp } th dport 53 redirect to :{{ $.Values.dns.port | int64 }}
{{- if not (kindIs "invalid" $.Values.network6) }}
    iifname "{{ $.Values.interfaceName }}" ip6 daddr {{ include "wireguard.firstHost" $.Values.network6 }} meta l4proto { tcp, udp } th dport 53 redirect to :{{ $.Values.dns.port | int64 }}
{{- end }}
  }
{{- end }}
  chain input {
    type filter hook input priority filter; policy accept;
{{- if eq $.Values.dns.mode "coredns" }}
    iifname "{{ $.Values.interfaceName }}" ct status dnat meta l4proto { tcp, udp } th dport {{ $.Values.dns.port | int64 }} accept
{{- end }}
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

{{- define "wireguard.clientsConf" -}}
# The files of the clients whose keys are made here.
{{- range $name, $peer := $.Values.peers }}
{{- if $peer.generate }}

# name = {{ $name }}
# {{ $name }}
[Interface]
PrivateKey = (private key)
{{- $items := list }}
{{- range $address := $peer.addresses }}
{{- $items = append $items $address }}
{{- end }}
Address = {{ join ", " $items }}
{{- if eq $.Values.dns.mode "servers" }}
DNS = {{ join ", " $.Values.dns.servers }}{{ ternary "" (printf ", %s" (join ", " $.Values.dns.searchDomains)) (empty $.Values.dns.searchDomains) }}
{{- else if eq $.Values.dns.mode "coredns" }}
{{- $chosen := "" }}
{{- if not (kindIs "invalid" $.Values.network6) }}
  {{- $found := false }}
  {{- range $address := $peer.addresses }}
    {{- if not (contains ":" $address) }}
      {{- $found = true }}
    {{- end }}
  {{- end }}
  {{- if $found }}
    {{- $found2 := false }}
    {{- range $address := $peer.addresses }}
      {{- if contains ":" $address }}
        {{- $found2 = true }}
      {{- end }}
    {{- end }}
    {{- if $found2 }}
      {{- $chosen = printf "%s, %s" (include "wireguard.firstHost" $.Values.network) (include "wireguard.firstHost" $.Values.network6) }}
    {{- else }}
      {{- $chosen = include "wireguard.firstHost" $.Values.network }}
    {{- end }}
  {{- else }}
    {{- $chosen = include "wireguard.firstHost" $.Values.network6 }}
  {{- end }}
{{- else }}
  {{- $chosen = include "wireguard.firstHost" $.Values.network }}
{{- end }}
DNS = {{ $chosen }}{{ ternary "" (printf ", %s" (join ", " $.Values.dns.searchDomains)) (empty $.Values.dns.searchDomains) }}
{{- end }}
{{- $chosen := "" }}
{{- if not (kindIs "invalid" $.Values.client.mtu) }}
  {{- $chosen = int64 $.Values.client.mtu }}
{{- else if not (kindIs "invalid" $.Values.mtu) }}
  {{- $chosen = max (int64 $.Values.mtu) 1280 }}
{{- else }}
  {{- $chosen = 1420 }}
{{- end }}
MTU = {{ $chosen }}

[Peer]
PublicKey = (public key of the server)
PresharedKey = (pre-shared key)
{{- $chosen2 := "" }}
{{- if not (kindIs "invalid" ($peer.client).allowedIPs) }}
  {{- $chosen5 := "" }}
  {{- $chosen4 := "" }}
  {{- $chosen3 := "" }}
  {{- $kept := list }}
  {{- range $allowedIP := ($peer.client).allowedIPs }}
    {{- $found := false }}
    {{- range $routedNetwork := $peer.routedNetworks }}
      {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
        {{- $found = true }}
      {{- end }}
    {{- end }}
    {{- if not $found }}
      {{- $kept = append $kept $allowedIP }}
    {{- end }}
  {{- end }}
  {{- if not $kept }}
    {{- $chosen3 = join ", " ($peer.client).allowedIPs }}
  {{- else }}
    {{- $kept2 := list }}
    {{- range $allowedIP := ($peer.client).allowedIPs }}
      {{- $found := false }}
      {{- range $routedNetwork := $peer.routedNetworks }}
        {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
          {{- $found = true }}
        {{- end }}
      {{- end }}
      {{- if not $found }}
        {{- $kept2 = append $kept2 $allowedIP }}
      {{- end }}
    {{- end }}
    {{- $chosen3 = join ", " $kept2 }}
  {{- end }}
  {{- $holds := (not (eq $.Values.dns.mode "coredns")) }}
  {{- if not $holds }}
    {{- $found := false }}
    {{- range $address := $peer.addresses }}
      {{- if not (contains ":" $address) }}
        {{- $found = true }}
      {{- end }}
    {{- end }}
    {{- $holds = (not $found) }}
  {{- end }}
  {{- if not $holds }}
    {{- $found2 := false }}
    {{- $kept2 := list }}
    {{- range $allowedIP := ($peer.client).allowedIPs }}
      {{- $found3 := false }}
      {{- range $routedNetwork := $peer.routedNetworks }}
        {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
          {{- $found3 = true }}
        {{- end }}
      {{- end }}
      {{- if not $found3 }}
        {{- $kept2 = append $kept2 $allowedIP }}
      {{- end }}
    {{- end }}
    {{- range $item := $kept2 }}
      {{- if hasPrefix (include "wireguard.networkBits" $item) (include "wireguard.networkBits" (include "wireguard.firstHost" $.Values.network)) }}
        {{- $found2 = true }}
      {{- end }}
    {{- end }}
    {{- $holds = $found2 }}
  {{- end }}
  {{- if $holds }}
    {{- $chosen4 = "" }}
  {{- else }}
    {{- $chosen4 = printf ", %s" (include "wireguard.firstHost" $.Values.network) }}
  {{- end }}
  {{- if not (kindIs "invalid" $.Values.network6) }}
    {{- $holds2 := (not (eq $.Values.dns.mode "coredns")) }}
    {{- if not $holds2 }}
      {{- $found3 := false }}
      {{- range $address := $peer.addresses }}
        {{- if contains ":" $address }}
          {{- $found3 = true }}
        {{- end }}
      {{- end }}
      {{- $holds2 = (not $found3) }}
    {{- end }}
    {{- if not $holds2 }}
      {{- $found4 := false }}
      {{- $kept3 := list }}
      {{- range $allowedIP := ($peer.client).allowedIPs }}
        {{- $found5 := false }}
        {{- range $routedNetwork := $peer.routedNetworks }}
          {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
            {{- $found5 = true }}
          {{- end }}
        {{- end }}
        {{- if not $found5 }}
          {{- $kept3 = append $kept3 $allowedIP }}
        {{- end }}
      {{- end }}
      {{- range $item := $kept3 }}
        {{- if hasPrefix (include "wireguard.networkBits" $item) (include "wireguard.networkBits" (include "wireguard.firstHost" $.Values.network6)) }}
          {{- $found4 = true }}
        {{- end }}
      {{- end }}
      {{- $holds2 = $found4 }}
    {{- end }}
    {{- if $holds2 }}
      {{- $chosen5 = "" }}
    {{- else }}
      {{- $chosen5 = printf ", %s" (include "wireguard.firstHost" $.Values.network6) }}
    {{- end }}
  {{- else }}
    {{- $chosen5 = "" }}
  {{- end }}
  {{- $chosen2 = printf "%s%s%s" $chosen3 $chosen4 $chosen5 }}
{{- else }}
  {{- $chosen3 := "" }}
  {{- $kept2 := list }}
  {{- $kept := list }}
  {{- range $allowedIP := $.Values.client.allowedIPs }}
    {{- $found := false }}
    {{- range $routedNetwork := $peer.routedNetworks }}
      {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
        {{- $found = true }}
      {{- end }}
    {{- end }}
    {{- if not $found }}
      {{- $kept = append $kept $allowedIP }}
    {{- end }}
  {{- end }}
  {{- range $allowedIP := $.Values.client.allowedIPs }}
    {{- $found := false }}
    {{- range $routedNetwork := $peer.routedNetworks }}
      {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
        {{- $found = true }}
      {{- end }}
    {{- end }}
    {{- if not $found }}
      {{- $kept2 = append $kept2 $allowedIP }}
    {{- end }}
  {{- end }}
  {{- $found := false }}
  {{- range $address := $peer.addresses }}
    {{- if not (contains ":" $address) }}
      {{- $found = true }}
    {{- end }}
  {{- end }}
  {{- $found2 := false }}
  {{- $kept3 := list }}
  {{- range $allowedIP := $.Values.client.allowedIPs }}
    {{- $found3 := false }}
    {{- range $routedNetwork := $peer.routedNetworks }}
      {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
        {{- $found3 = true }}
      {{- end }}
    {{- end }}
    {{- if not $found3 }}
      {{- $kept3 = append $kept3 $allowedIP }}
    {{- end }}
  {{- end }}
  {{- range $item := $kept3 }}
    {{- if hasPrefix (include "wireguard.networkBits" $item) (include "wireguard.networkBits" (include "wireguard.firstHost" $.Values.network)) }}
      {{- $found2 = true }}
    {{- end }}
  {{- end }}
  {{- if not (kindIs "invalid" $.Values.network6) }}
    {{- $holds := (not (eq $.Values.dns.mode "coredns")) }}
    {{- if not $holds }}
      {{- $found3 := false }}
      {{- range $address := $peer.addresses }}
        {{- if contains ":" $address }}
          {{- $found3 = true }}
        {{- end }}
      {{- end }}
      {{- $holds = (not $found3) }}
    {{- end }}
    {{- if not $holds }}
      {{- $found4 := false }}
      {{- $kept4 := list }}
      {{- range $allowedIP := $.Values.client.allowedIPs }}
        {{- $found5 := false }}
        {{- range $routedNetwork := $peer.routedNetworks }}
          {{- if eq (include "wireguard.networkBits" $routedNetwork) (include "wireguard.networkBits" $allowedIP) }}
            {{- $found5 = true }}
          {{- end }}
        {{- end }}
        {{- if not $found5 }}
          {{- $kept4 = append $kept4 $allowedIP }}
        {{- end }}
      {{- end }}
      {{- range $item := $kept4 }}
        {{- if hasPrefix (include "wireguard.networkBits" $item) (include "wireguard.networkBits" (include "wireguard.firstHost" $.Values.network6)) }}
          {{- $found4 = true }}
        {{- end }}
      {{- end }}
      {{- $holds = $found4 }}
    {{- end }}
    {{- if $holds }}
      {{- $chosen3 = "" }}
    {{- else }}
      {{- $chosen3 = printf ", %s" (include "wireguard.firstHost" $.Values.network6) }}
    {{- end }}
  {{- else }}
    {{- $chosen3 = "" }}
  {{- end }}
  {{- $chosen2 = printf "%s%s%s" (ternary (join ", " $.Values.client.allowedIPs) (join ", " $kept) (empty $kept2)) (ternary "" (printf ", %s" (include "wireguard.firstHost" $.Values.network)) (or (not (eq $.Values.dns.mode "coredns")) (not $found) $found2)) $chosen3 }}
{{- end }}
AllowedIPs = {{ $chosen2 }}
{{ ternary (printf "Endpoint = %s" $.Values.endpoint) "Endpoint = (endpoint)" (not (kindIs "invalid" $.Values.endpoint)) }}
PersistentKeepalive = {{ $.Values.client.persistentKeepaliveSeconds | int64 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "wireguard.peersFromSettings" -}}
{
  "network": {{ toRawJson $.Values.network }},
  "network6": {{ ternary (toRawJson $.Values.network6) "null" (not (kindIs "invalid" $.Values.network6)) }},
  "mode": {{ toRawJson $.Values.mode }},
  "interface": {{ toRawJson $.Values.interfaceName }},
  "sources": {
{{- range $name, $peersFrom := $.Values.peersFrom }}
    "{{ $name }}": "{{ ternary "Secret" "ConfigMap" (not (kindIs "invalid" $peersFrom.existingSecret)) }}",
{{- end }}
    "": null
  },
  "peers": {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","propertyNames":{"type":"string","maxLength":63,"pattern":"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$","noun":"a name","example":"alice"},"additionalProperties":{"type":"object","properties":{"publicKey":{"type":"string","pattern":"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$","noun":"a WireGuard key: 32 bytes in base64, 44 characters","example":"2/xU029dz/WtvMZAbnSzmhicl8U1/Y3NYmunRr8EJ0Q="},"generate":{"type":"boolean"},"presharedKey":{"example":{"existingSecret":"wireguard-alice","key":"preshared-key"},"type":"object","properties":{"existingSecret":{"example":"wireguard-alice","type":"string","maxLength":253,"pattern":"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$","noun":"the name of a Kubernetes object"},"key":{"example":"alice","type":"string","maxLength":253,"pattern":"^[A-Za-z0-9_-][A-Za-z0-9._-]*$","noun":"a key of a Secret"},"value":{"type":"string","secret":true,"noun":"a WireGuard key","example":"what wg genkey prints"}},"additionalProperties":false,"secret":true,"noun":"a map with existingSecret or value"},"addresses":{"minItems":1,"type":"array","items":{"type":"string","pattern":"^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?))$","noun":"an IP address","example":"10.13.13.2"},"example":["10.13.13.2"]},"routedNetworks":{"example":["192.168.10.0/24"],"type":"array","items":{"type":"string","pattern":"^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\/(?:3[0-2]|[12]?[0-9])|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?)\\/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))$","noun":"a network in CIDR notation","example":"10.0.0.0/16"}},"endpoint":{"type":"string","maxLength":259,"pattern":"^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|\\[(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?)\\]):(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})$","noun":"a host or an address with a port","example":"vpn.example.com:51820"},"persistentKeepaliveSeconds":{"example":25,"type":"integer","minimum":0,"maximum":65535},"allow":{"type":"object","propertyNames":{"type":"string","maxLength":63,"pattern":"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$","noun":"a name","example":"intranet"},"additionalProperties":{"type":"object","properties":{"networks":{"type":"array","items":{"type":"string","pattern":"^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\\/(?:3[0-2]|[12]?[0-9]))?|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?)(?:\\/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$","noun":"an IP address or a network in CIDR notation","example":"10.0.0.0/16"}},"peers":{"example":["bob"],"type":"array","items":{"type":"string","maxLength":63,"pattern":"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$","noun":"a name","example":"alice"}},"ports":{"example":[{"port":443,"protocol":"TCP"}],"type":"array","items":{"type":"object","properties":{"port":{"type":"integer","minimum":1,"maximum":65535,"noun":"a port number","example":51820},"endPort":{"type":"integer","minimum":1,"maximum":65535,"noun":"a port number","example":51820},"protocol":{"type":"string","enum":["TCP","UDP"]}},"required":["port"],"additionalProperties":false}}},"additionalProperties":false}},"client":{"type":"object","properties":{"allowedIPs":{"example":["10.13.13.0/24","10.0.0.0/8"],"minItems":1,"type":"array","items":{"type":"string","pattern":"^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\/(?:3[0-2]|[12]?[0-9])|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?)\\/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))$","noun":"a network in CIDR notation","example":"10.0.0.0/16"}}},"additionalProperties":false}},"required":["addresses"],"additionalProperties":false}}
}
{{- end }}

{{- define "wireguard.corefile" -}}
# The names of the cluster and, by its servers, those of the world.
.:{{ $.Values.dns.port | int64 }} {
    errors
    reload 10s 5s
    cache 30
    forward . /etc/resolv.conf
}
{{- range $name, $zone := $.Values.dns.zones }}
{{ $name }}:{{ $.Values.dns.port | int64 }} {
    errors
    cache 30
    forward . {{ join " " $zone.servers }}
}
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

{{- define "wireguard.dnsImage" -}}
{{- if not (kindIs "invalid" $.Values.dns.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.dns.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.dns.image.repository $.Values.dns.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.dns.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.dns.image.repository $.Values.dns.image.tag }}
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
WireGuard server {{ include "wireguard.fullname" $ }} in namespace {{ $.Release.Namespace }}. Peers in the values: {{ int64 (len $.Values.peers) }}.
{{- if not (or (not (kindIs "invalid" $.Values.privateKey.value)) $.Values.privateKey.generate) }}

The pod waits for the Secret {{ include "wireguard.privateKeySecret" $ }}, which holds the server's private key. To make it:

  wg genkey | kubectl -n {{ $.Release.Namespace }} create secret generic {{ include "wireguard.privateKeySecret" $ }} --from-file={{ $.Values.privateKey.key }}=/dev/stdin
{{- end }}
{{- $found := false }}
{{- range $peer := $.Values.peers }}
{{- if $peer.generate }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- if or $.Values.privateKey.generate $found }}

Keys that the pod makes are on the claim {{ ternary (printf "%s-generated-keys" (include "wireguard.fullname" $)) $.Values.persistence.existingClaim (kindIs "invalid" $.Values.persistence.existingClaim) }}. Back it up: with the volume, the keys are gone.
{{- end }}
{{- if and $.Values.privateKey.generate (kindIs "invalid" $.Values.serverPublicKey) }}

The pod makes the server's key. Pin it by setting serverPublicKey to what step 2 prints: then a lost volume stops the
server and says so, instead of becoming another server that no client knows.
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
{{- $found2 := false }}
{{- range $peer := $.Values.peers }}
{{- if $peer.generate }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- if $found2 }}

5. The files of the clients whose keys the pod makes; with --qr behind it, the QR code for a phone:
{{- range $name, $peer := $.Values.peers }}
{{- if $peer.generate }}

     kubectl -n {{ $.Release.Namespace }} exec deploy/{{ include "wireguard.fullname" $ }} -c wireguard -- sh /scripts/showconf.sh {{ $name }}
{{- end }}
{{- end }}
{{- if kindIs "invalid" $.Values.endpoint }}

   Until endpoint is set, add --endpoint HOST:PORT with the address of step 3.
{{- end }}
{{- end }}
{{- range $name, $peer := $.Values.peers }}
{{- if not (kindIs "invalid" $peer.allow) }}

Peer {{ $name }} may reach only what its rules allow.
{{- end }}
{{- end }}

Where Pod Security is enforced, the namespace needs the level privileged: the container wireguard has NET_ADMIN, for the
interface, its routes and its packet filter.
{{- if eq $.Values.ipForwarding.method "init" }}
  The init container ip-forwarding is privileged, because /proc/sys is read-only for any other.
{{- end }}
{{- if not (kindIs "invalid" $.Values.hostPort) }}
  The pod has a host port.
{{- end }}
{{- if not (kindIs "invalid" $.Values.userspace.image.repository) }}
  The container userspace has NET_ADMIN and the node's /dev/net/tun.
{{- end }}

  kubectl label namespace {{ $.Release.Namespace }} pod-security.kubernetes.io/enforce=privileged
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
