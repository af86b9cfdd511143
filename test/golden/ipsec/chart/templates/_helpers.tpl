{{- define "ipsec.fullname" -}}
{{- if not (kindIs "invalid" $.Values.fullnameOverride) }}
{{- $.Values.fullnameOverride }}
{{- else if contains (include "ipsec.name" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "ipsec.name" $) }}
{{- end }}
{{- end }}

{{- define "ipsec.labels" -}}
{{- range $key, $value := $.Values.commonLabels }}
{{- if not (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
helm.sh/chart: {{ replace "+" "_" (printf "%s-%s" $.Chart.Name $.Chart.Version) | quote }}
app.kubernetes.io/name: {{ include "ipsec.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "ipsec.labelsWith" -}}
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
app.kubernetes.io/name: {{ include "ipsec.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "ipsec.swanctlConf" -}}
{{- $gateway := .gateway -}}
connections {
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
  {{ $name }} {
    version = 2
    remote_addrs = {{ include "ipsec.remoteAddresses" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway)) }}
    # ESP itself passes no Service and no host port.
    encap = yes
    mobike = {{ ternary "yes" "no" (ternary false ($tunnel.ike).mobike (kindIs "invalid" ($tunnel.ike).mobike)) }}
    fragmentation = {{ ternary "yes" ($tunnel.ike).fragmentation (kindIs "invalid" ($tunnel.ike).fragmentation) }}
    unique = replace
    keyingtries = 0
    dpd_delay = {{ include "ipsec.dpdDelaySeconds" (dict "tunnel" $tunnel) | int64 }}s
    proposals = {{ include "ipsec.ikeProposals" (dict "tunnel" $tunnel) }}
    rekey_time = {{ include "ipsec.ikeRekeySeconds" (dict "tunnel" $tunnel) | int64 }}s
{{- if not (kindIs "invalid" ($tunnel.ike).reauthSeconds) }}
    reauth_time = {{ ($tunnel.ike).reauthSeconds | int64 }}s
{{- end }}
{{- if eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route" }}
    if_id_in = {{ ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId) }}
    if_id_out = {{ ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId) }}
{{- end }}
{{- if not (kindIs "invalid" ($tunnel.postQuantumKey).id) }}
    ppk_id = "{{ ($tunnel.postQuantumKey).id }}"
    ppk_required = {{ ternary "yes" "no" (ternary true ($tunnel.postQuantumKey).required (kindIs "invalid" ($tunnel.postQuantumKey).required)) }}
{{- end }}
    local {
      auth = {{ ternary "pubkey" "psk" (not (kindIs "invalid" $tunnel.certificate)) }}
      id = "{{ include "ipsec.localIdentity" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway)) }}"
{{- if not (kindIs "invalid" $tunnel.certificate) }}
      certs = {{ $name }}.crt
{{- end }}
    }
    remote {
      auth = {{ ternary "pubkey" "psk" (not (kindIs "invalid" $tunnel.certificate)) }}
      id = "{{ include "ipsec.remoteIdentity" (dict "tunnel" $tunnel) }}"
{{- if not (kindIs "invalid" $tunnel.certificate) }}
{{- $chosen := "" }}
{{- if not (kindIs "invalid" $tunnel.authorities) }}
  {{- $items := list }}
  {{- range $name2, $_ := $tunnel.authorities }}
    {{- $items = append $items (printf "%s-%s.crt" $name $name2) }}
  {{- end }}
  {{- $chosen = join "," $items }}
{{- else }}
  {{- $chosen = printf "%s-ca.crt" $name }}
{{- end }}
      cacerts = {{ $chosen }}
{{- end }}
    }
    children {
{{- if not (kindIs "invalid" $tunnel.children) }}
{{- range $name2, $children := $tunnel.children }}
      {{ $name2 }} {
{{- $chosen := "" }}
{{- if not (kindIs "invalid" $children.localTs) }}
  {{- $chosen = join "," $children.localTs }}
{{- else }}
  {{- $items := list }}
  {{- $found := false }}
  {{- range $network := $tunnel.remote.networks }}
    {{- if contains ":" $network }}
      {{- $found = true }}
    {{- end }}
  {{- end }}
  {{- $items = concat $items $.Values.cluster.podCidrs }}
  {{- $items = concat $items $.Values.cluster.serviceCidrs }}
  {{- $items = concat $items $.Values.cluster.nodeCidrs }}
  {{- $chosen = ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" $found) (join "," $items) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
{{- end }}
        local_ts = {{ $chosen }}
{{- $chosen2 := "" }}
{{- if not (kindIs "invalid" $children.remoteTs) }}
  {{- $chosen2 = join "," $children.remoteTs }}
{{- else }}
  {{- $items := list }}
  {{- $found := false }}
  {{- range $network := $tunnel.remote.networks }}
    {{- if contains ":" $network }}
      {{- $found = true }}
    {{- end }}
  {{- end }}
  {{- range $network := $tunnel.remote.networks }}
    {{- $items = append $items $network }}
  {{- end }}
  {{- $chosen2 = ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" $found) (join "," $items) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
{{- end }}
        remote_ts = {{ $chosen2 }}
        esp_proposals = {{ include "ipsec.espProposals" (dict "tunnel" $tunnel) }}
        rekey_time = {{ include "ipsec.espRekeySeconds" (dict "tunnel" $tunnel) | int64 }}s
        replay_window = {{ include "ipsec.replayWindow" (dict "tunnel" $tunnel) | int64 }}
        copy_df = {{ ternary "yes" "no" (eq (include "ipsec.copyDf" (dict "tunnel" $tunnel)) "true") }}
        # control.py begins, so that a change of one tunnel leaves the others as they are.
        start_action = none
        dpd_action = {{ ternary "restart" "clear" (eq (include "ipsec.initiates" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) "true") }}
        close_action = {{ ternary "start" "none" (eq (include "ipsec.initiates" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) "true") }}
      }
{{- end }}
{{- else }}
      {{ $name }} {
{{- $items := list }}
{{- $found := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- $items = concat $items $.Values.cluster.podCidrs }}
{{- $items = concat $items $.Values.cluster.serviceCidrs }}
{{- $items = concat $items $.Values.cluster.nodeCidrs }}
        local_ts = {{ ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" $found) (join "," $items) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
{{- $items2 := list }}
{{- $found2 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- range $network := $tunnel.remote.networks }}
{{- $items2 = append $items2 $network }}
{{- end }}
        remote_ts = {{ ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" $found2) (join "," $items2) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
        esp_proposals = {{ include "ipsec.espProposals" (dict "tunnel" $tunnel) }}
        rekey_time = {{ include "ipsec.espRekeySeconds" (dict "tunnel" $tunnel) | int64 }}s
        replay_window = {{ include "ipsec.replayWindow" (dict "tunnel" $tunnel) | int64 }}
        copy_df = {{ ternary "yes" "no" (eq (include "ipsec.copyDf" (dict "tunnel" $tunnel)) "true") }}
        # control.py begins, so that a change of one tunnel leaves the others as they are.
        start_action = none
        dpd_action = {{ ternary "restart" "clear" (eq (include "ipsec.initiates" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) "true") }}
        close_action = {{ ternary "start" "none" (eq (include "ipsec.initiates" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) "true") }}
      }
{{- end }}
    }
  }
{{- end }}
{{- end }}
}
include secrets.conf
{{- end }}

{{- define "ipsec.strongswanConf" -}}
charon {
  load = random nonce drbg openssl aes sha1 sha2 sha3 hmac kdf gmp curve25519 ml gcm ccm ctr chapoly cmac xcbc x509 constraints pubkey pkcs1 pkcs7 pkcs8 pem kernel-netlink socket-default vici counters
  # Routes and addresses are those of network.sh.
  install_routes = no
  install_virtual_ip = no
  # The same time between all tries: how long a silent remote end goes unnoticed is a sum.
  retransmit_base = 1.0
  retransmit_timeout = {{ $.Values.retransmission.intervalSeconds | int64 }}.0
  retransmit_tries = {{ $.Values.retransmission.tries | int64 }}
  keep_alive = {{ $.Values.natKeepaliveSeconds | int64 }}s
  make_before_break = yes
  filelog {
    stderr {
      default = {{ $.Values.strongswan.logLevel | int64 }}
      flush_line = yes
      ike_name = yes
    }
  }
  plugins {
    vici {
      socket = unix:///run/vpn/charon.vici
    }
  }
}
{{- end }}

{{- define "ipsec.nftablesConf" -}}
{{- $gateway := .gateway -}}
table inet vpn
delete table inet vpn
table inet vpn {
  set remote4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found2 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if not (contains ":" $network) }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) $found2 }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- if $found }}
    elements = {
{{- range $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- range $network := $tunnel.remote.networks }}
{{- if not (contains ":" $network) }}
      {{ $network }},
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set remote6 {
    type ipv6_addr
    flags interval
    auto-merge
{{- $found2 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found3 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) $found3 }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- if $found2 }}
    elements = {
{{- range $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
      {{ $network }},
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set tunnel4 {
    type ifname . ipv4_addr
    flags interval
{{- $found3 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found4 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if not (contains ":" $network) }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") $found4) }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- if $found3 }}
    elements = {
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route" }}
{{- range $network := $tunnel.remote.networks }}
{{- if not (contains ":" $network) }}
      "{{ printf "ipsec%d" (ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId)) }}" . {{ $network }},
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set tunnel6 {
    type ifname . ipv6_addr
    flags interval
{{- $found4 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found5 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
{{- $found5 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") $found5) }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- if $found4 }}
    elements = {
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route" }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
      "{{ printf "ipsec%d" (ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId)) }}" . {{ $network }},
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set cluster4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found5 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
{{- $found5 = true }}
{{- end }}
{{- end }}
{{- $found6 := false }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if not (contains ":" $serviceCidr) }}
{{- $found6 = true }}
{{- end }}
{{- end }}
{{- $found7 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
{{- $found7 = true }}
{{- end }}
{{- end }}
{{- if or $found5 $found6 $found7 }}
    elements = {
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
      {{ $podCidr }},
{{- end }}
{{- end }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if not (contains ":" $serviceCidr) }}
      {{ $serviceCidr }},
{{- end }}
{{- end }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
      {{ $nodeCidr }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set cluster6 {
    type ipv6_addr
    flags interval
    auto-merge
{{- $found8 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
{{- $found8 = true }}
{{- end }}
{{- end }}
{{- $found9 := false }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if contains ":" $serviceCidr }}
{{- $found9 = true }}
{{- end }}
{{- end }}
{{- $found10 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if contains ":" $nodeCidr }}
{{- $found10 = true }}
{{- end }}
{{- end }}
{{- if or $found8 $found9 $found10 }}
    elements = {
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
      {{ $podCidr }},
{{- end }}
{{- end }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if contains ":" $serviceCidr }}
      {{ $serviceCidr }},
{{- end }}
{{- end }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if contains ":" $nodeCidr }}
      {{ $nodeCidr }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
  # For a remote network: through its tunnel only.
  chain outwards {
    oifname "ipsec*" return
    rt ipsec exists return
    ip daddr @remote4 drop
    ip6 daddr @remote6 drop
  }
  # From a remote network: out of its tunnel only.
  chain inwards {
    iifname "ipsec*" return
    meta ipsec exists return
    ip saddr @remote4 drop
    ip6 saddr @remote6 drop
  }
  # What comes out of a tunnel of the mode route may reach the cluster, if it is of the networks behind that tunnel.
  chain routed {
    iifname . ip saddr @tunnel4 ip daddr @cluster4 accept
    iifname . ip6 saddr @tunnel6 ip6 daddr @cluster6 accept
    drop
  }
  # What comes out of one of the mode policy: the kernel looks at its traffic selectors.
  chain granted {
    ip saddr @remote4 ip daddr @cluster4 accept
    ip6 saddr @remote6 ip6 daddr @cluster6 accept
    drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    jump inwards
    jump outwards
    iifname "ipsec*" goto routed
    meta ipsec exists goto granted
  }
  chain input {
    type filter hook input priority filter; policy accept;
    jump inwards
  }
  chain output {
    type filter hook output priority filter; policy accept;
    jump outwards
  }
  chain clamp {
    type filter hook forward priority mangle; policy accept;
    ip saddr @remote4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
    ip daddr @remote4 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
    ip6 saddr @remote6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
    ip6 daddr @remote6 tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
  }
  # Nodes do not know the way back to a remote network: to them its packets are the gateway's.
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr @remote4 ip daddr @cluster4 masquerade
    ip6 saddr @remote6 ip6 daddr @cluster6 masquerade
  }
}
{{- end }}

{{- define "ipsec.networkConf" -}}
{{- $gateway := .gateway -}}
# The tunnels of this pod.
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}

# {{ $name }}
{{- if not (kindIs "invalid" $tunnel.mtu) }}
mtu {{ $tunnel.mtu | int64 }}
{{- else }}
{{- $chosen4 := "" }}
{{- $found3 := false }}
{{- $chosen3 := "" }}
{{- $found2 := false }}
{{- $chosen2 := "" }}
{{- $found := false }}
{{- $chosen := "" }}
{{- if not (kindIs "invalid" $tunnel.remote.address) }}
  {{- if regexMatch "^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$" $tunnel.remote.address }}
    {{- $chosen = 28 }}
  {{- else }}
    {{- $chosen = 48 }}
  {{- end }}
{{- else }}
  {{- $chosen = 48 }}
{{- end }}
{{- range $item := splitList "," (include "ipsec.espProposals" (dict "tunnel" $tunnel)) }}
  {{- if not (or (contains "gcm" $item) (contains "ccm" $item) (contains "chacha20poly1305" $item)) }}
    {{- $found = true }}
  {{- end }}
{{- end }}
{{- if $found }}
  {{- $chosen2 = 16 }}
{{- else }}
  {{- $chosen2 = 8 }}
{{- end }}
{{- range $item := splitList "," (include "ipsec.espProposals" (dict "tunnel" $tunnel)) }}
  {{- if contains "sha512" $item }}
    {{- $found2 = true }}
  {{- end }}
{{- end }}
{{- if $found2 }}
  {{- $chosen3 = 32 }}
{{- else }}
  {{- $found3 := false }}
  {{- range $item := splitList "," (include "ipsec.espProposals" (dict "tunnel" $tunnel)) }}
    {{- if contains "sha384" $item }}
      {{- $found3 = true }}
    {{- end }}
  {{- end }}
  {{- if $found3 }}
    {{- $chosen3 = 24 }}
  {{- else }}
    {{- $chosen3 = 16 }}
  {{- end }}
{{- end }}
{{- range $item := splitList "," (include "ipsec.espProposals" (dict "tunnel" $tunnel)) }}
  {{- if not (or (contains "gcm" $item) (contains "ccm" $item) (contains "chacha20poly1305" $item)) }}
    {{- $found3 = true }}
  {{- end }}
{{- end }}
{{- if $found3 }}
  {{- $chosen4 = 16 }}
{{- else }}
  {{- $chosen4 = 4 }}
{{- end }}
overhead {{ add (add $chosen 8) (add $chosen2 $chosen3) }} {{ $chosen4 }}
{{- if gt (int64 (include "ipsec.presetMtuBytes" (dict "tunnel" $tunnel))) 0 }}
most {{ include "ipsec.presetMtuBytes" (dict "tunnel" $tunnel) | int64 }}
{{- end }}
{{- end }}
{{- if eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route" }}
interface {{ printf "ipsec%d" (ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId)) }} {{ ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId) }}
{{- if not (kindIs "invalid" ($tunnel.inside).local) }}
{{- if not (kindIs "invalid" ($tunnel.inside).remote) }}
address {{ ($tunnel.inside).local }} {{ ($tunnel.inside).remote }}
{{- end }}
{{- end }}
{{- range $network := $tunnel.remote.networks }}
route {{ $network }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ipsec.controlConf" -}}
{{- $gateway := .gateway -}}
{
  "gateway": "{{ $gateway }}",
  "tunnels": {
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
    "{{ $name }}": {
      "initiates": {{ ternary "true" "false" (eq (include "ipsec.initiates" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) "true") }},
      "children": [
{{- if not (kindIs "invalid" $tunnel.children) }}
{{- range $name2, $_ := $tunnel.children }}
        "{{ $name2 }}",
{{- end }}
{{- else }}
        "{{ $name }}",
{{- end }}
        ""
      ],
{{- if not (kindIs "invalid" $tunnel.certificate) }}
      "certificate": {
        "folder": "/certificates/{{ $name }}",
        "identity": {{ toRawJson (include "ipsec.localIdentity" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) }}
      },
      "authorities": {
{{- if not (kindIs "invalid" $tunnel.authorities) }}
{{- range $name2, $authoritie := $tunnel.authorities }}
        "{{ $name }}-{{ $name2 }}.crt": {
          "file": "/authorities/{{ $name }}/{{ $name2 }}/{{ ternary "ca.crt" $authoritie.key (kindIs "invalid" $authoritie.key) }}",
          "source": "key {{ ternary "ca.crt" $authoritie.key (kindIs "invalid" $authoritie.key) }} of the {{ ternary "Secret" "ConfigMap" (not (kindIs "invalid" $authoritie.existingSecret)) }} {{ ternary (ternary "" $authoritie.existingConfigMap (kindIs "invalid" $authoritie.existingConfigMap)) $authoritie.existingSecret (kindIs "invalid" $authoritie.existingSecret) }}"
        },
{{- end }}
{{- else }}
        "{{ $name }}-ca.crt": {
          "file": "/certificates/{{ $name }}/ca.crt",
          "source": "key ca.crt of the Secret of certificate"
        },
{{- end }}
        "": null
      },
{{- else }}
      "sharedKey": {
{{- if not (kindIs "invalid" ($tunnel.presharedKey).existingSecret) }}
        "file": "/secrets/{{ $name }}/{{ ternary "psk" ($tunnel.presharedKey).key (kindIs "invalid" ($tunnel.presharedKey).key) }}",
        "source": "key {{ ternary "psk" ($tunnel.presharedKey).key (kindIs "invalid" ($tunnel.presharedKey).key) }} of the Secret {{ ($tunnel.presharedKey).existingSecret }}",
{{- else }}
        "file": "/given-keys/{{ printf "psk.%s" $name }}",
        "source": "key {{ printf "psk.%s" $name }} of the Secret {{ printf "%s-%s-keys" (include "ipsec.fullname" $) $gateway }}",
{{- end }}
        "ids": [{{ toRawJson (include "ipsec.localIdentity" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) }}, {{ toRawJson (include "ipsec.remoteIdentity" (dict "tunnel" $tunnel)) }}],
        "rules": [
          {{ include "ipsec.keyRule" (dict "tunnel" $tunnel) }},
{{- if not (ternary false $tunnel.allowWeak (kindIs "invalid" $tunnel.allowWeak)) }}
          {"pattern":"^[!-~]{20,256}$","problem":"has less than 20 characters, so that it can be guessed","remedy":"make one with `openssl rand -base64 33`, or set allowWeak to true"},
{{- end }}
          null
        ]
      },
{{- end }}
{{- if not (kindIs "invalid" ($tunnel.postQuantumKey).existingSecret) }}
      "postQuantumKey": {
        "file": "/post-quantum-keys/{{ $name }}/{{ ternary "ppk" ($tunnel.postQuantumKey).key (kindIs "invalid" ($tunnel.postQuantumKey).key) }}",
        "source": "key {{ ternary "ppk" ($tunnel.postQuantumKey).key (kindIs "invalid" ($tunnel.postQuantumKey).key) }} of the Secret {{ ($tunnel.postQuantumKey).existingSecret }}",
        "id": {{ toRawJson (ternary "" ($tunnel.postQuantumKey).id (kindIs "invalid" ($tunnel.postQuantumKey).id)) }}
      },
{{- end }}
      "": null
    },
{{- end }}
{{- end }}
    "": null
  }
}
{{- end }}

{{- define "ipsec.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ipsec.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
{{- end }}

{{- define "ipsec.networkImage" -}}
{{- if not (kindIs "invalid" $.Values.network.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.network.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.network.image.repository $.Values.network.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.network.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.network.image.repository $.Values.network.image.tag }}
{{- end }}
{{- end }}

{{- define "ipsec.strongswanImage" -}}
{{- if not (kindIs "invalid" $.Values.strongswan.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.strongswan.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.strongswan.image.repository $.Values.strongswan.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.strongswan.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.strongswan.image.repository $.Values.strongswan.image.tag }}
{{- end }}
{{- end }}

{{- define "ipsec.controlImage" -}}
{{- if not (kindIs "invalid" $.Values.control.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.control.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.control.image.repository $.Values.control.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.control.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.control.image.repository $.Values.control.image.tag }}
{{- end }}
{{- end }}

{{- define "ipsec.identityKind" -}}
{{- $identity := .identity -}}
{{- if regexMatch "^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?))$" $identity }}
{{- "address" }}
{{- else if regexMatch "^(?:fqdn:|@)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$" $identity }}
{{- "name" }}
{{- else if regexMatch "^(?:email:)?[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$" $identity }}
{{- "email" }}
{{- else if regexMatch "^(?:C|CN|L|O|OU|SERIALNUMBER|ST)=[!$-*\\--:?-\\[\\]-~](?:[ !#-*\\--:?-\\[\\]-~]*[!$-*\\--:?-\\[\\]-~])?(?:, ?(?:C|CN|L|O|OU|SERIALNUMBER|ST)=[!$-*\\--:?-\\[\\]-~](?:[ !#-*\\--:?-\\[\\]-~]*[!$-*\\--:?-\\[\\]-~])?)*$" $identity }}
{{- "subject" }}
{{- else }}
{{- "none" }}
{{- end }}
{{- end }}

{{- define "ipsec.localIdentity" -}}
{{- $tunnel := .tunnel -}}
{{- $gateway := .gateway -}}
{{- if not (kindIs "invalid" $tunnel.localIdentity) }}
{{- $tunnel.localIdentity }}
{{- else if not (kindIs "invalid" ($gateway).identity) }}
{{- ($gateway).identity }}
{{- else if not (kindIs "invalid" (($gateway).service).loadBalancerIP) }}
{{- (($gateway).service).loadBalancerIP }}
{{- else }}
{{- "" }}
{{- end }}
{{- end }}

{{- define "ipsec.remoteIdentity" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" $tunnel.remote.identity) }}
{{- $tunnel.remote.identity }}
{{- else if not (kindIs "invalid" $tunnel.remote.address) }}
{{- $tunnel.remote.address }}
{{- else }}
{{- "" }}
{{- end }}
{{- end }}

{{- define "ipsec.sameIdentity" -}}
{{- $identity := .identity -}}
{{- if regexMatch "^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?))$" $identity }}
{{- include "ipsec.networkBits" (ternary $identity "0.0.0.0" (regexMatch "^(?:(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])|(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?))$" $identity)) }}
{{- else if hasPrefix "keyid:" $identity }}
{{- $identity }}
{{- else if hasPrefix "@#" (trimPrefix "email:" (trimPrefix "fqdn:" (lower $identity))) }}
{{- trimPrefix "email:" (trimPrefix "fqdn:" (lower $identity)) }}
{{- else }}
{{- trimPrefix "@" (trimPrefix "@" (trimPrefix "email:" (trimPrefix "fqdn:" (lower $identity)))) }}
{{- end }}
{{- end }}

{{- define "ipsec.preset" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" $tunnel.preset) }}
{{- $tunnel.preset }}
{{- else }}
{{- "strongswan" }}
{{- end }}
{{- end }}

{{- define "ipsec.initiates" -}}
{{- $tunnel := .tunnel -}}
{{- $gateway := .gateway -}}
{{- or (eq (ternary "auto" $tunnel.initiate (kindIs "invalid" $tunnel.initiate)) "always") (and (eq (ternary "auto" $tunnel.initiate (kindIs "invalid" $tunnel.initiate)) "auto") (not (kindIs "invalid" $tunnel.remote.address)) (ternary (eq (ternary "loadBalancer" ($gateway).exposure (kindIs "invalid" ($gateway).exposure)) "hostPort") ($gateway).sendsFromExposedAddress (kindIs "invalid" ($gateway).sendsFromExposedAddress))) }}
{{- end }}

{{- define "ipsec.wantsExposedAddress" -}}
{{- $tunnel := .tunnel -}}
{{- if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- false }}
{{- else }}
{{- true }}
{{- end }}
{{- end }}

{{- define "ipsec.remoteInitiates" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" $tunnel.remote.initiates) }}
{{- $tunnel.remote.initiates }}
{{- else if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "azure") }}
{{- true }}
{{- else }}
{{- false }}
{{- end }}
{{- end }}

{{- define "ipsec.interfaceId" -}}
{{- $tunnel := .tunnel -}}
{{- add 1 (mod (int64 (adler32sum $tunnel)) 999999) }}
{{- end }}

{{- define "ipsec.notes" -}}
IPsec gateways {{ include "ipsec.fullname" $ }} in namespace {{ $.Release.Namespace }}. Tunnels in the values: {{ int64 (len $.Values.tunnels) }}.
{{- if not $.Values.gateways }}

No gateway is configured yet: add one to gateways and a tunnel to tunnels, and run helm upgrade.
{{- end }}
{{- range $name, $gateway := $.Values.gateways }}

Gateway {{ $name }}: what it says of its tunnels, and why one is not up:

  kubectl -n {{ $.Release.Namespace }} rollout status deployment/{{ include "ipsec.fullname" $ }}-{{ $name }}
  kubectl -n {{ $.Release.Namespace }} exec deploy/{{ include "ipsec.fullname" $ }}-{{ $name }} -c network -- curl -s http://127.0.0.1:{{ $.Values.health.port | int64 }}/status
{{- if eq (ternary "loadBalancer" $gateway.exposure (kindIs "invalid" $gateway.exposure)) "loadBalancer" }}

The address by which the remote ends reach it:
  kubectl -n {{ $.Release.Namespace }} get service {{ include "ipsec.fullname" $ }}-{{ $name }} -o jsonpath='{.status.loadBalancer.ingress[0]}'
{{- end }}
{{- end }}
{{- if $.Values.tunnels }}
{{- include "ipsec.detection" $ | nindent 0 }}
{{- end }}

Where Pod Security is enforced, the namespace needs the level privileged: charon and the container network have NET_ADMIN.

  kubectl label namespace {{ $.Release.Namespace }} pod-security.kubernetes.io/enforce=privileged
{{- end }}

{{- define "ipsec.name" -}}
{{- if not (kindIs "invalid" $.Values.nameOverride) }}
{{- $.Values.nameOverride }}
{{- else }}
{{- "ipsec" }}
{{- end }}
{{- end }}

{{- define "ipsec.remoteAddresses" -}}
{{- $tunnel := .tunnel -}}
{{- $gateway := .gateway -}}
{{- if not (kindIs "invalid" $tunnel.remote.address) }}
{{- if or (eq (ternary "loadBalancer" ($gateway).exposure (kindIs "invalid" ($gateway).exposure)) "hostPort") (ne (ternary "Local" (($gateway).service).externalTrafficPolicy (kindIs "invalid" (($gateway).service).externalTrafficPolicy)) "Cluster") }}
{{- $tunnel.remote.address }}
{{- else }}
{{- printf "%s,%%any" $tunnel.remote.address }}
{{- end }}
{{- else }}
{{- "%any" }}
{{- end }}
{{- end }}

{{- define "ipsec.dpdDelaySeconds" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.ike).dpdDelaySeconds) }}
{{- int64 ($tunnel.ike).dpdDelaySeconds }}
{{- else if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws") }}
{{- 10 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp" }}
{{- 30 }}
{{- else }}
{{- 45 }}
{{- end }}
{{- end }}

{{- define "ipsec.ikeProposals" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.ike).proposals) }}
{{- join "," ($tunnel.ike).proposals }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- "aes256gcm16-prfsha384-ecp384,aes256-sha256-ecp256" }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- "aes256gcm16-prfsha384-ecp384,aes256-sha256-modp2048" }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp" }}
{{- "aes256gcm16-prfsha512-ecp384,aes256gcm16-prfsha512-modp4096" }}
{{- else }}
{{- "aes256-sha384-ecp384,aes256-sha256-modp2048" }}
{{- end }}
{{- end }}

{{- define "ipsec.ikeRekeySeconds" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.ike).rekeySeconds) }}
{{- int64 ($tunnel.ike).rekeySeconds }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- 14400 }}
{{- else if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "azure") }}
{{- 25200 }}
{{- else }}
{{- 32400 }}
{{- end }}
{{- end }}

{{- define "ipsec.espProposals" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.esp).proposals) }}
{{- join "," ($tunnel.esp).proposals }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- "aes256gcm16-ecp384,aes256-sha256-ecp256" }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- "aes256gcm16-ecp384,aes256-sha256-modp2048" }}
{{- else }}
{{- "aes256gcm16-ecp384" }}
{{- end }}
{{- end }}

{{- define "ipsec.espRekeySeconds" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.esp).rekeySeconds) }}
{{- int64 ($tunnel.esp).rekeySeconds }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- 3600 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- 3240 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp" }}
{{- 9720 }}
{{- else }}
{{- 24300 }}
{{- end }}
{{- end }}

{{- define "ipsec.replayWindow" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.esp).replayWindow) }}
{{- int64 ($tunnel.esp).replayWindow }}
{{- else if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "azure") }}
{{- 128 }}
{{- else }}
{{- 1024 }}
{{- end }}
{{- end }}

{{- define "ipsec.copyDf" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.esp).copyDf) }}
{{- ($tunnel.esp).copyDf }}
{{- else if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "azure") }}
{{- true }}
{{- else }}
{{- false }}
{{- end }}
{{- end }}

{{- define "ipsec.presetMtuBytes" -}}
{{- $tunnel := .tunnel -}}
{{- if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- 0 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- 1446 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp" }}
{{- 1390 }}
{{- else }}
{{- 1400 }}
{{- end }}
{{- end }}

{{- define "ipsec.keyRule" -}}
{{- $tunnel := .tunnel -}}
{{- if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp") }}
{{- "{\"pattern\":\"^[!-~]{1,256}$\",\"problem\":\"is not 1 to 256 printable ASCII characters without blanks\",\"remedy\":\"make one with `openssl rand -base64 33`\"}" }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- "{\"pattern\":\"^[A-Za-z1-9._][A-Za-z0-9._]{7,63}$\",\"problem\":\"is not what AWS takes: 8 to 64 letters, digits, dots and underscores, no 0 in front\",\"remedy\":\"make one with `openssl rand -hex 24 | sed s/^0/1/`\"}" }}
{{- else }}
{{- "{\"pattern\":\"^[!-,.-}]{1,128}$\",\"problem\":\"is not what Azure takes: 1 to 128 printable ASCII characters without blanks, hyphens and tildes\",\"remedy\":\"make one with `openssl rand -base64 33`\"}" }}
{{- end }}
{{- end }}

{{- define "ipsec.detection" -}}
How long a failure goes unnoticed at most:
  a gateway's node is lost: {{ add 55 (int64 $.Values.lostNodeSeconds) }} s, then its pod starts on another one
{{- range $name, $tunnel := $.Values.tunnels }}
  tunnel {{ $name }}, the remote end is silent: {{ add 2 (add (int64 (include "ipsec.dpdDelaySeconds" (dict "tunnel" $tunnel))) (mul (add (int64 $.Values.retransmission.tries) 1) (int64 $.Values.retransmission.intervalSeconds))) }} s
{{- if eq (include "ipsec.initiates" (dict "tunnel" $tunnel "gateway" (index $.Values.gateways $tunnel.gateway))) "true" }}
  tunnel {{ $name }}, the remote end has forgotten its SAs: {{ add 2 (add (int64 (include "ipsec.dpdDelaySeconds" (dict "tunnel" $tunnel))) (mul (add (int64 $.Values.retransmission.tries) 1) (int64 $.Values.retransmission.intervalSeconds))) }} s, then the gateway begins anew
{{- else }}
  tunnel {{ $name }}, the remote end has forgotten its SAs: until it begins anew, which replaces ours at once
{{- end }}
{{- end }}
{{- end }}

{{- define "ipsec.textBlock" -}}
{{- if regexMatch "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}\\x{2028}\\x{2029}\\x{feff}]" . }}
{{- fail "a value with a control character or a line separator would break a configuration file; install with schema validation to see which" }}
{{- end }}
{{- . }}
{{- end }}

{{- define "ipsec.networkBits" -}}
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

{{- define "ipsec.prefixLength" -}}
{{- if contains "/" . }}
{{- last (splitList "/" .) }}
{{- else }}
{{- ternary "128" "32" (contains ":" .) }}
{{- end }}
{{- end }}
