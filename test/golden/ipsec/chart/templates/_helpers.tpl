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
  {{- $chosen = ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" (or $found (contains ":" (ternary "" ($tunnel.inside).local (kindIs "invalid" ($tunnel.inside).local))))) (join "," $items) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
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
  {{- $chosen2 = ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" (or $found (contains ":" (ternary "" ($tunnel.inside).local (kindIs "invalid" ($tunnel.inside).local))))) (join "," $items) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
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
        local_ts = {{ ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" (or $found (contains ":" (ternary "" ($tunnel.inside).local (kindIs "invalid" ($tunnel.inside).local))))) (join "," $items) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
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
        remote_ts = {{ ternary (ternary "0.0.0.0/0,::/0" "0.0.0.0/0" (or $found2 (contains ":" (ternary "" ($tunnel.inside).local (kindIs "invalid" ($tunnel.inside).local))))) (join "," $items2) (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}
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
{{- $found2 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp))) }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- $found3 := false }}
{{- range $import := $.Values.routes.import }}
{{- if not (contains ":" $import.cidr) }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- if or $found (and $found2 $found3) }}
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
{{- $found4 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp))) }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- if $found4 }}
{{- range $import := $.Values.routes.import }}
{{- if not (contains ":" $import.cidr) }}
      {{ $import.cidr }},
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
{{- $found4 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found5 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
{{- $found5 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) $found5 }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- $found5 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp))) }}
{{- $found5 = true }}
{{- end }}
{{- end }}
{{- $found6 := false }}
{{- range $import := $.Values.routes.import }}
{{- if contains ":" $import.cidr }}
{{- $found6 = true }}
{{- end }}
{{- end }}
{{- if or $found4 (and $found5 $found6) }}
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
{{- $found7 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp))) }}
{{- $found7 = true }}
{{- end }}
{{- end }}
{{- if $found7 }}
{{- range $import := $.Values.routes.import }}
{{- if contains ":" $import.cidr }}
      {{ $import.cidr }},
{{- end }}
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set tunnel4 {
    type ifname . ipv4_addr
    flags interval
{{- $found7 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found8 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if not (contains ":" $network) }}
{{- $found8 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") $found8) }}
{{- $found7 = true }}
{{- end }}
{{- end }}
{{- if $found7 }}
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
{{- $found8 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- $found9 := false }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
{{- $found9 = true }}
{{- end }}
{{- end }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") $found9) }}
{{- $found8 = true }}
{{- end }}
{{- end }}
{{- if $found8 }}
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
{{- $found9 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp))) }}
{{- $found9 = true }}
{{- end }}
{{- end }}
{{- if $found9 }}
  set speakers {
    type ifname
    elements = {
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp)) }}
      "{{ printf "ipsec%d" (ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId)) }}",
{{- end }}
{{- end }}
{{- end }}
    }
  }
  set imported4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found10 := false }}
{{- range $import := $.Values.routes.import }}
{{- if not (contains ":" $import.cidr) }}
{{- $found10 = true }}
{{- end }}
{{- end }}
{{- if $found10 }}
    elements = {
{{- range $import := $.Values.routes.import }}
{{- if not (contains ":" $import.cidr) }}
      {{ $import.cidr }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set imported6 {
    type ipv6_addr
    flags interval
    auto-merge
{{- $found11 := false }}
{{- range $import := $.Values.routes.import }}
{{- if contains ":" $import.cidr }}
{{- $found11 = true }}
{{- end }}
{{- end }}
{{- if $found11 }}
    elements = {
{{- range $import := $.Values.routes.import }}
{{- if contains ":" $import.cidr }}
      {{ $import.cidr }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
{{- end }}
  set cluster4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found10 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
{{- $found10 = true }}
{{- end }}
{{- end }}
{{- $found11 := false }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if not (contains ":" $serviceCidr) }}
{{- $found11 = true }}
{{- end }}
{{- end }}
{{- $found12 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
{{- $found12 = true }}
{{- end }}
{{- end }}
{{- if or $found10 $found11 $found12 }}
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
{{- $found13 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
{{- $found13 = true }}
{{- end }}
{{- end }}
{{- $found14 := false }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if contains ":" $serviceCidr }}
{{- $found14 = true }}
{{- end }}
{{- end }}
{{- $found15 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if contains ":" $nodeCidr }}
{{- $found15 = true }}
{{- end }}
{{- end }}
{{- if or $found13 $found14 $found15 }}
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
{{- $found16 := false }}
{{- range $tunnel := $.Values.tunnels }}
{{- if and (eq $tunnel.gateway $gateway) (and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp))) }}
{{- $found16 = true }}
{{- end }}
{{- end }}
{{- if $found16 }}
    iifname @speakers ip saddr @imported4 ip daddr @cluster4 accept
    iifname @speakers ip6 saddr @imported6 ip6 daddr @cluster6 accept
{{- end }}
    drop
  }
  # What comes out of one of the mode policy: the kernel looks at its traffic selectors.
  chain granted {
    ip saddr @remote4 ip daddr @cluster4 accept
    ip6 saddr @remote6 ip6 daddr @cluster6 accept
    drop
  }
{{- if ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled) }}
  set nodes4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found17 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
{{- $found17 = true }}
{{- end }}
{{- end }}
{{- $found18 := false }}
{{- range $nodeSource := $.Values.cluster.nodeSources }}
{{- if not (contains ":" $nodeSource) }}
{{- $found18 = true }}
{{- end }}
{{- end }}
{{- if or $found17 $found18 }}
    elements = {
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
      {{ $nodeCidr }},
{{- end }}
{{- end }}
{{- range $nodeSource := $.Values.cluster.nodeSources }}
{{- if not (contains ":" $nodeSource) }}
      {{ $nodeSource }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
  # From a node: to a remote network, through its tunnel.
  chain from_nodes {
    ip saddr @cluster4 oifname "ipsec*" accept
    ip6 saddr @cluster6 oifname "ipsec*" accept
    ip saddr @cluster4 rt ipsec exists accept
    ip6 saddr @cluster6 rt ipsec exists accept
    drop
  }
  # Only nodes reach the overlay, and only nodes and remote ends speak BGP and BFD with this pod.
  chain spoken_to {
    # Nobody behind a tunnel is a node.
    iifname "ipsec*" udp dport {{ $.Values.routes.overlay.port | int64 }} drop
    meta ipsec exists udp dport {{ $.Values.routes.overlay.port | int64 }} drop
    iifname "ipsec*" ip saddr {{ $.Values.routes.overlay.nodeNetwork }} drop
    iifname "ipsec*" ip saddr {{ $.Values.routes.overlay.gatewayNetwork }} drop
    iifname "ipsec*" ip6 saddr {{ $.Values.routes.overlay.ipv6Network }} drop
    udp dport {{ $.Values.routes.overlay.port | int64 }} ip saddr @nodes4 accept
    udp dport {{ $.Values.routes.overlay.port | int64 }} drop
    iifname "ovl0" ip saddr {{ $.Values.routes.overlay.nodeNetwork }} accept
    iifname "ovl0" ip6 saddr {{ $.Values.routes.overlay.ipv6Network }} accept
    iifname "ovl0" meta l4proto { icmp, ipv6-icmp } accept
    iifname "ovl0" drop
    iifname "ipsec*" accept
    tcp dport 179 drop
    udp dport { 3784, 3785, 4784 } drop
  }
{{- end }}
  chain forward {
    type filter hook forward priority filter; policy accept;
    jump inwards
    jump outwards
    iifname "ipsec*" goto routed
    meta ipsec exists goto granted
{{- if ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled) }}
    iifname "ovl0" goto from_nodes
{{- end }}
  }
  chain input {
    type filter hook input priority filter; policy accept;
    jump inwards
{{- if ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled) }}
    jump spoken_to
{{- end }}
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
{{- if not (ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled)) }}
  # Nodes do not know the way back to a remote network: to them its packets are the gateway's.
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr @remote4 ip daddr @cluster4 masquerade
    ip6 saddr @remote6 ip6 daddr @cluster6 masquerade
  }
{{- end }}
}
{{- end }}

{{- define "ipsec.networkConf" -}}
{{- $gateway := .gateway -}}
# The tunnels of this pod.
{{- if ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled) }}
overlay {{ ternary 0 (int64 $.Values.routes.overlay.mtuBytes) (kindIs "invalid" $.Values.routes.overlay.mtuBytes) }}
{{- end }}
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
{{- if not (kindIs "invalid" ($tunnel.bgp).peerAddress) }}
route {{ ($tunnel.bgp).peerAddress }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ipsec.controlConf" -}}
{{- $gateway := .gateway -}}
{
  "gateway": "{{ $gateway }}",
  "host": "{{ printf "%s.%s-gateways" $gateway (include "ipsec.fullname" $) }}",
  "siblings": {
{{- range $name, $_ := $.Values.gateways }}
{{- if ne $name $gateway }}
    "{{ $name }}": "{{ printf "%s.%s-gateways" $name (include "ipsec.fullname" $) }}",
{{- end }}
{{- end }}
    "": ""
  },
  "drainTimeoutSeconds": {{ $.Values.drainTimeoutSeconds | int64 }},
  "fabric": {{ ternary "true" "false" (ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled)) }},
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
{{- if and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp)) }}
      "bgp": true,
{{- end }}
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

{{- define "ipsec.frrConf" -}}
{{- $gateway := .gateway -}}
frr version 10.3
frr defaults traditional
hostname {{ $gateway }}
log stdout informational
service integrated-vtysh-config
!
bfd
 profile overlay
  transmit-interval {{ $.Values.routes.bfd.intervalMilliseconds | int64 }}
  receive-interval {{ $.Values.routes.bfd.intervalMilliseconds | int64 }}
  detect-multiplier {{ $.Values.routes.bfd.multiplier | int64 }}
 exit
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if eq $.Values.routes.mode "bgp" }}
{{- if not (kindIs "invalid" ($tunnel.bgp).peerAs) }}
{{- if not (kindIs "invalid" ($tunnel.bgp).bfd) }}
 !
 profile remote-{{ $name }}
  transmit-interval {{ ternary 300 (int64 (($tunnel.bgp).bfd).intervalMilliseconds) (kindIs "invalid" (($tunnel.bgp).bfd).intervalMilliseconds) }}
  receive-interval {{ ternary 300 (int64 (($tunnel.bgp).bfd).intervalMilliseconds) (kindIs "invalid" (($tunnel.bgp).bfd).intervalMilliseconds) }}
  detect-multiplier {{ ternary 5 (int64 (($tunnel.bgp).bfd).multiplier) (kindIs "invalid" (($tunnel.bgp).bfd).multiplier) }}
 exit
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
exit
!
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $podCidr) }} prefix-list POD-NETWORKS permit {{ $podCidr }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $podCidr))) "" (gt (ternary 128 32 (contains ":" $podCidr)) (int64 (include "ipsec.prefixLength" $podCidr))) }}
{{- end }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $nodeCidr) }} prefix-list NODE-ADDRESSES permit {{ $nodeCidr }}{{ ternary (printf " ge %d" (ternary 128 32 (contains ":" $nodeCidr))) "" (lt (int64 (include "ipsec.prefixLength" $nodeCidr)) (ternary 128 32 (contains ":" $nodeCidr))) }}
{{- end }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $serviceCidr) }} prefix-list SERVICE-NETWORKS permit {{ $serviceCidr }}{{ ternary (printf " le %d" (int64 (include "ipsec.prefixLength" $serviceCidr))) "" (gt (int64 (include "ipsec.prefixLength" $serviceCidr)) (int64 (include "ipsec.prefixLength" $serviceCidr))) }}
{{- end }}
{{- range $import := $.Values.routes.import }}
{{ ternary "ipv6" "ip" (contains ":" $import.cidr) }} prefix-list IMPORT permit {{ $import.cidr }}{{ ternary (printf " le %d" (ternary (max (int64 (include "ipsec.prefixLength" $import.cidr)) (ternary 64 24 (contains ":" $import.cidr))) (int64 $import.maxLength) (kindIs "invalid" $import.maxLength))) "" (gt (ternary (max (int64 (include "ipsec.prefixLength" $import.cidr)) (ternary 64 24 (contains ":" $import.cidr))) (int64 $import.maxLength) (kindIs "invalid" $import.maxLength)) (int64 (include "ipsec.prefixLength" $import.cidr))) }}
{{- end }}
{{- range $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- range $network := $tunnel.remote.networks }}
{{ ternary "ipv6" "ip" (contains ":" $network) }} prefix-list STATIC permit {{ $network }}{{ ternary (printf " le %d" (int64 (include "ipsec.prefixLength" $network))) "" (gt (int64 (include "ipsec.prefixLength" $network)) (int64 (include "ipsec.prefixLength" $network))) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $export := $.Values.routes.export }}
{{- if eq $export "pods" }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $podCidr) }} prefix-list EXPORT permit {{ $podCidr }}{{ ternary (printf " le %d" (int64 (include "ipsec.prefixLength" $podCidr))) "" (gt (int64 (include "ipsec.prefixLength" $podCidr)) (int64 (include "ipsec.prefixLength" $podCidr))) }}
{{- end }}
{{- else if eq $export "nodes" }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $nodeCidr) }} prefix-list EXPORT permit {{ $nodeCidr }}{{ ternary (printf " le %d" (int64 (include "ipsec.prefixLength" $nodeCidr))) "" (gt (int64 (include "ipsec.prefixLength" $nodeCidr)) (int64 (include "ipsec.prefixLength" $nodeCidr))) }}
{{- end }}
{{- else if eq $export "services" }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $serviceCidr) }} prefix-list EXPORT permit {{ $serviceCidr }}{{ ternary (printf " le %d" (int64 (include "ipsec.prefixLength" $serviceCidr))) "" (gt (int64 (include "ipsec.prefixLength" $serviceCidr)) (int64 (include "ipsec.prefixLength" $serviceCidr))) }}
{{- end }}
{{- else }}
{{ ternary "ipv6" "ip" (contains ":" $export) }} prefix-list EXPORT permit {{ $export }}{{ ternary (printf " le %d" (int64 (include "ipsec.prefixLength" $export))) "" (gt (int64 (include "ipsec.prefixLength" $export)) (int64 (include "ipsec.prefixLength" $export))) }}
{{- end }}
{{- end }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $podCidr) }} prefix-list FORBIDDEN permit {{ $podCidr }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $podCidr))) "" (gt (ternary 128 32 (contains ":" $podCidr)) (int64 (include "ipsec.prefixLength" $podCidr))) }}
{{- end }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $serviceCidr) }} prefix-list FORBIDDEN permit {{ $serviceCidr }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $serviceCidr))) "" (gt (ternary 128 32 (contains ":" $serviceCidr)) (int64 (include "ipsec.prefixLength" $serviceCidr))) }}
{{- end }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{ ternary "ipv6" "ip" (contains ":" $nodeCidr) }} prefix-list FORBIDDEN permit {{ $nodeCidr }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $nodeCidr))) "" (gt (ternary 128 32 (contains ":" $nodeCidr)) (int64 (include "ipsec.prefixLength" $nodeCidr))) }}
{{- end }}
{{ ternary "ipv6" "ip" (contains ":" $.Values.routes.overlay.nodeNetwork) }} prefix-list FORBIDDEN permit {{ $.Values.routes.overlay.nodeNetwork }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $.Values.routes.overlay.nodeNetwork))) "" (gt (ternary 128 32 (contains ":" $.Values.routes.overlay.nodeNetwork)) (int64 (include "ipsec.prefixLength" $.Values.routes.overlay.nodeNetwork))) }}
{{ ternary "ipv6" "ip" (contains ":" $.Values.routes.overlay.gatewayNetwork) }} prefix-list FORBIDDEN permit {{ $.Values.routes.overlay.gatewayNetwork }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $.Values.routes.overlay.gatewayNetwork))) "" (gt (ternary 128 32 (contains ":" $.Values.routes.overlay.gatewayNetwork)) (int64 (include "ipsec.prefixLength" $.Values.routes.overlay.gatewayNetwork))) }}
{{ ternary "ipv6" "ip" (contains ":" $.Values.routes.overlay.ipv6Network) }} prefix-list FORBIDDEN permit {{ $.Values.routes.overlay.ipv6Network }}{{ ternary (printf " le %d" (ternary 128 32 (contains ":" $.Values.routes.overlay.ipv6Network))) "" (gt (ternary 128 32 (contains ":" $.Values.routes.overlay.ipv6Network)) (int64 (include "ipsec.prefixLength" $.Values.routes.overlay.ipv6Network))) }}
ip prefix-list FORBIDDEN permit 0.0.0.0/0
ipv6 prefix-list FORBIDDEN permit ::/0
!
! What a node announces of the same network comes first: else it would be in no table.
route-map OWN permit 10
 set local-preference 50
 set weight 0
exit
route-map FROM-NODES permit 10
 match ip address prefix-list NODE-ADDRESSES
 set table 100
exit
route-map FROM-NODES permit 11
 match ipv6 address prefix-list NODE-ADDRESSES
 set table 100
exit
route-map FROM-NODES permit 20
 match ip address prefix-list POD-NETWORKS
 set table 100
exit
route-map FROM-NODES permit 21
 match ipv6 address prefix-list POD-NETWORKS
 set table 100
exit
route-map FROM-NODES permit 40
 match ip address prefix-list SERVICE-NETWORKS
 set table 100
exit
route-map FROM-NODES permit 41
 match ipv6 address prefix-list SERVICE-NETWORKS
 set table 100
exit
route-map TO-NODES permit 10
 match ip address prefix-list IMPORT
exit
route-map TO-NODES permit 11
 match ipv6 address prefix-list IMPORT
exit
route-map TO-NODES permit 20
 match ip address prefix-list STATIC
exit
route-map TO-NODES permit 21
 match ipv6 address prefix-list STATIC
exit
route-map FROM-REMOTE deny 10
 match ip address prefix-list FORBIDDEN
exit
route-map FROM-REMOTE deny 11
 match ipv6 address prefix-list FORBIDDEN
exit
route-map FROM-REMOTE deny 20
 match ip address prefix-list OUTER
exit
route-map FROM-REMOTE deny 21
 match ipv6 address prefix-list OUTER
exit
route-map FROM-REMOTE permit 30
 match ip address prefix-list IMPORT
 set table 200
exit
route-map FROM-REMOTE permit 31
 match ipv6 address prefix-list IMPORT
 set table 200
exit
route-map TO-REMOTE permit 10
 match ip address prefix-list EXPORT
exit
route-map TO-REMOTE permit 11
 match ipv6 address prefix-list EXPORT
exit
bgp route-map delay-timer 0
!
router bgp {{ ternary (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) (int64 $.Values.routes.internalAs) (kindIs "invalid" $.Values.routes.internalAs) }}
 bgp router-id {{ printf "%s.%d.%d" (trimSuffix ".0.0/16" $.Values.routes.overlay.gatewayNetwork) (div (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) (mod (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) }}
 bgp log-neighbor-changes
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp bestpath as-path multipath-relax
 neighbor NODES peer-group
 neighbor NODES remote-as {{ ternary (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) (int64 $.Values.routes.internalAs) (kindIs "invalid" $.Values.routes.internalAs) }}
 neighbor NODES passive
 neighbor NODES timers 3 9
 neighbor NODES update-source {{ printf "%s.%d.%d" (trimSuffix ".0.0/16" $.Values.routes.overlay.gatewayNetwork) (div (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) (mod (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) }}
 neighbor NODES bfd
 neighbor NODES bfd check-control-plane-failure
 neighbor NODES bfd profile overlay
 neighbor NODES-WITHOUT-BFD peer-group
 neighbor NODES-WITHOUT-BFD remote-as {{ ternary (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) (int64 $.Values.routes.internalAs) (kindIs "invalid" $.Values.routes.internalAs) }}
 neighbor NODES-WITHOUT-BFD passive
 neighbor NODES-WITHOUT-BFD timers 3 9
 neighbor NODES-WITHOUT-BFD update-source {{ printf "%s.%d.%d" (trimSuffix ".0.0/16" $.Values.routes.overlay.gatewayNetwork) (div (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) (mod (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) }}
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if eq $.Values.routes.mode "bgp" }}
{{- if not (kindIs "invalid" ($tunnel.bgp).peerAs) }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} remote-as {{ ($tunnel.bgp).peerAs | int64 }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} description {{ $name }}
{{- if ne (ternary (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) (int64 $.Values.routes.internalAs) (kindIs "invalid" $.Values.routes.internalAs)) (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} local-as {{ ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs) }} no-prepend replace-as
{{- end }}
{{- if gt (int64 (include "ipsec.bgpMultihopTtl" (dict "tunnel" $tunnel))) 1 }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} ebgp-multihop {{ include "ipsec.bgpMultihopTtl" (dict "tunnel" $tunnel) | int64 }}
{{- end }}
{{- if not (kindIs "invalid" ($tunnel.bgp).bfd) }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} bfd
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} bfd profile remote-{{ $name }}
{{- end }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} timers {{ include "ipsec.bgpKeepaliveSeconds" (dict "tunnel" $tunnel) | int64 }} {{ include "ipsec.bgpHoldSeconds" (dict "tunnel" $tunnel) | int64 }}
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} timers connect 5
 neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} update-source {{ first (splitList "/" (ternary "" ($tunnel.inside).local (kindIs "invalid" ($tunnel.inside).local))) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
 !
 address-family ipv4 unicast
  neighbor NODES activate
  neighbor NODES next-hop-self
  neighbor NODES route-map FROM-NODES in
  neighbor NODES route-map TO-NODES out
  neighbor NODES route-reflector-client
  neighbor NODES-WITHOUT-BFD activate
  neighbor NODES-WITHOUT-BFD next-hop-self
  neighbor NODES-WITHOUT-BFD route-map FROM-NODES in
  neighbor NODES-WITHOUT-BFD route-map TO-NODES out
  neighbor NODES-WITHOUT-BFD route-reflector-client
{{- range $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if eq $.Values.routes.mode "bgp" }}
{{- if not (kindIs "invalid" ($tunnel.bgp).peerAs) }}
{{- if not (contains ":" (ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress))) }}
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} activate
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} route-map FROM-REMOTE in
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} route-map TO-REMOTE out
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} maximum-prefix {{ ternary (int64 $.Values.routes.maxPrefixes) (int64 ($tunnel.bgp).maxPrefixes) (kindIs "invalid" ($tunnel.bgp).maxPrefixes) }} restart 5
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
  maximum-paths 8
  maximum-paths ibgp 8
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor NODES activate
  neighbor NODES next-hop-self
  neighbor NODES route-map FROM-NODES in
  neighbor NODES route-map TO-NODES out
  neighbor NODES route-reflector-client
  neighbor NODES-WITHOUT-BFD activate
  neighbor NODES-WITHOUT-BFD next-hop-self
  neighbor NODES-WITHOUT-BFD route-map FROM-NODES in
  neighbor NODES-WITHOUT-BFD route-map TO-NODES out
  neighbor NODES-WITHOUT-BFD route-reflector-client
{{- range $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
{{- if eq $.Values.routes.mode "bgp" }}
{{- if not (kindIs "invalid" ($tunnel.bgp).peerAs) }}
{{- if contains ":" (ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress)) }}
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} activate
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} route-map FROM-REMOTE in
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} route-map TO-REMOTE out
  neighbor {{ ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress) }} maximum-prefix {{ ternary (int64 $.Values.routes.maxPrefixes) (int64 ($tunnel.bgp).maxPrefixes) (kindIs "invalid" ($tunnel.bgp).maxPrefixes) }} restart 5
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
  maximum-paths 8
  maximum-paths ibgp 8
 exit-address-family
exit
{{- end }}

{{- define "ipsec.fabricConf" -}}
{{- $gateway := .gateway -}}
{
  "gateway": "{{ $gateway }}",
  "told": true,
  "as": {{ ternary (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) (int64 $.Values.routes.internalAs) (kindIs "invalid" $.Values.routes.internalAs) }},
  "overlay": {
    "address": "{{ printf "%s.%d.%d" (trimSuffix ".0.0/16" $.Values.routes.overlay.gatewayNetwork) (div (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) (mod (int64 (include "ipsec.overlayNumber" (dict "gateway" $gateway))) 256) }}",
    "nodeNetwork": "{{ $.Values.routes.overlay.nodeNetwork }}",
    "gatewayNetwork": "{{ $.Values.routes.overlay.gatewayNetwork }}",
    "ipv6Network": "{{ $.Values.routes.overlay.ipv6Network }}",
{{- $found := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- $found2 := false }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if contains ":" $serviceCidr }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- $found3 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if contains ":" $nodeCidr }}
{{- $found3 = true }}
{{- end }}
{{- end }}
    "ipv6": {{ ternary "true" "false" (or $found $found2 $found3) }},
    "vni": {{ $.Values.routes.overlay.vni | int64 }},
    "port": {{ $.Values.routes.overlay.port | int64 }},
    "mtuBytes": {{ ternary 0 (int64 $.Values.routes.overlay.mtuBytes) (kindIs "invalid" $.Values.routes.overlay.mtuBytes) }}
  },
  "cluster": {
    "pods": [
{{- range $podCidr := $.Values.cluster.podCidrs }}
      {{ toRawJson $podCidr }},
{{- end }}
      ""
    ],
    "services": [
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
      {{ toRawJson $serviceCidr }},
{{- end }}
      ""
    ],
    "nodes": [
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
      {{ toRawJson $nodeCidr }},
{{- end }}
      ""
    ],
    "sources": [
{{- range $nodeSource := $.Values.cluster.nodeSources }}
      {{ toRawJson $nodeSource }},
{{- end }}
      ""
    ]
  },
  "imports": [
{{- range $import := $.Values.routes.import }}
    {"cidr": {{ toRawJson $import.cidr }}, "maxLength": {{ ternary (max (int64 (include "ipsec.prefixLength" $import.cidr)) (ternary 64 24 (contains ":" $import.cidr))) (int64 $import.maxLength) (kindIs "invalid" $import.maxLength) }}},
{{- end }}
    null
  ],
  "exports": [
{{- range $export := $.Values.routes.export }}
{{- if eq $export "pods" }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
    {{ toRawJson $podCidr }},
{{- end }}
{{- else if eq $export "nodes" }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
    {{ toRawJson $nodeCidr }},
{{- end }}
{{- else if eq $export "services" }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
    {{ toRawJson $serviceCidr }},
{{- end }}
{{- else }}
    {{ toRawJson $export }},
{{- end }}
{{- end }}
    ""
  ],
  "tunnels": {
{{- range $name, $tunnel := $.Values.tunnels }}
{{- if eq $tunnel.gateway $gateway }}
    "{{ $name }}": {
      "interface": "{{ ternary (printf "ipsec%d" (ternary (int64 (include "ipsec.interfaceId" (dict "tunnel" $name))) (int64 $tunnel.interfaceId) (kindIs "invalid" $tunnel.interfaceId))) "" (eq (ternary "route" $tunnel.mode (kindIs "invalid" $tunnel.mode)) "route") }}",
{{- if not (kindIs "invalid" ($tunnel.inside).local) }}
{{- if not (kindIs "invalid" ($tunnel.inside).remote) }}
      "inside": {"local": {{ toRawJson ($tunnel.inside).local }}, "remote": {{ toRawJson ($tunnel.inside).remote }}},
{{- end }}
{{- end }}
{{- if and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp)) }}
      "bgp": {
        "peer": {{ toRawJson (ternary (ternary "" ($tunnel.inside).remote (kindIs "invalid" ($tunnel.inside).remote)) ($tunnel.bgp).peerAddress (kindIs "invalid" ($tunnel.bgp).peerAddress)) }},
{{- if not (kindIs "invalid" (($tunnel.bgp).password).existingSecret) }}
        "passwordFile": "/bgp-passwords/{{ $name }}/{{ ternary "password" (($tunnel.bgp).password).key (kindIs "invalid" (($tunnel.bgp).password).key) }}",
        "source": "key {{ ternary "password" (($tunnel.bgp).password).key (kindIs "invalid" (($tunnel.bgp).password).key) }} of the Secret {{ (($tunnel.bgp).password).existingSecret }}",
{{- end }}
        "bfd": {{ ternary "true" "false" (not (kindIs "invalid" ($tunnel.bgp).bfd)) }}
      },
{{- end }}
      "networks": [
{{- range $network := $tunnel.remote.networks }}
        {{ toRawJson $network }},
{{- end }}
        ""
      ]
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

{{- define "ipsec.frrImage" -}}
{{- if not (kindIs "invalid" $.Values.frr.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.frr.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.frr.image.repository $.Values.frr.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.frr.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.frr.image.repository $.Values.frr.image.tag }}
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

{{- define "ipsec.fullname2" -}}
{{- if not (kindIs "invalid" $.Values.fullnameOverride) }}
{{- $.Values.fullnameOverride }}
{{- else if contains (include "ipsec.name2" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "ipsec.name2" $) }}
{{- end }}
{{- end }}

{{- define "ipsec.labels2" -}}
{{- range $key, $value := $.Values.commonLabels }}
{{- if not (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
helm.sh/chart: {{ replace "+" "_" (printf "%s-%s" $.Chart.Name $.Chart.Version) | quote }}
app.kubernetes.io/name: {{ printf "%s-agents" (include "ipsec.name2" $) | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "ipsec.agentConf" -}}
{
  "release": "{{ $.Release.Namespace }}/{{ include "ipsec.fullname" $ }}",
  "link": "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}",
  "service": "{{ include "ipsec.fullname" $ }}-agents.{{ $.Release.Namespace }}.svc",
  "as": {{ ternary (ternary 64512 (int64 $.Values.routes.localAs) (kindIs "invalid" $.Values.routes.localAs)) (int64 $.Values.routes.internalAs) (kindIs "invalid" $.Values.routes.internalAs) }},
  "overlay": {
    "nodeNetwork": "{{ $.Values.routes.overlay.nodeNetwork }}",
    "gatewayNetwork": "{{ $.Values.routes.overlay.gatewayNetwork }}",
    "ipv6Network": "{{ $.Values.routes.overlay.ipv6Network }}",
{{- $found := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- $found2 := false }}
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
{{- if contains ":" $serviceCidr }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- $found3 := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if contains ":" $nodeCidr }}
{{- $found3 = true }}
{{- end }}
{{- end }}
    "ipv6": {{ ternary "true" "false" (or $found $found2 $found3) }},
    "vni": {{ $.Values.routes.overlay.vni | int64 }},
    "port": {{ $.Values.routes.overlay.port | int64 }},
    "mtuBytes": {{ ternary 0 (int64 $.Values.routes.overlay.mtuBytes) (kindIs "invalid" $.Values.routes.overlay.mtuBytes) }}
  },
  "cluster": {
    "pods": [
{{- range $podCidr := $.Values.cluster.podCidrs }}
      {{ toRawJson $podCidr }},
{{- end }}
      ""
    ],
    "services": [
{{- range $serviceCidr := $.Values.cluster.serviceCidrs }}
      {{ toRawJson $serviceCidr }},
{{- end }}
      ""
    ],
    "nodes": [
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
      {{ toRawJson $nodeCidr }},
{{- end }}
      ""
    ],
    "sources": [
{{- range $nodeSource := $.Values.cluster.nodeSources }}
      {{ toRawJson $nodeSource }},
{{- end }}
      ""
    ]
  },
  "cni": "{{ $.Values.agent.cni }}",
  "podInterfaces": [
{{- range $podInterface := $.Values.agent.podInterfaces }}
    {{ toRawJson $podInterface }},
{{- end }}
    ""
  ],
  "bfdMode": "{{ $.Values.agent.bfd }}",
  "bfd": {
    "intervalMilliseconds": {{ $.Values.routes.bfd.intervalMilliseconds | int64 }},
    "multiplier": {{ $.Values.routes.bfd.multiplier | int64 }}
  },
  "gateways": {
{{- range $name, $_ := $.Values.gateways }}
    "{{ $name }}": {"host": "{{ printf "%s.%s-gateways.%s.svc" $name (include "ipsec.fullname" $) $.Release.Namespace }}", "overlay": "{{ printf "%s.%d.%d" (trimSuffix ".0.0/16" $.Values.routes.overlay.gatewayNetwork) (div (int64 (include "ipsec.overlayNumber" (dict "gateway" $name))) 256) (mod (int64 (include "ipsec.overlayNumber" (dict "gateway" $name))) 256) }}"},
{{- end }}
    "": null
  },
  "imports": [
{{- range $import := $.Values.routes.import }}
    {"cidr": {{ toRawJson $import.cidr }}, "maxLength": {{ ternary (max (int64 (include "ipsec.prefixLength" $import.cidr)) (ternary 64 24 (contains ":" $import.cidr))) (int64 $import.maxLength) (kindIs "invalid" $import.maxLength) }}, "whenDown": "{{ ternary "reject" $import.whenDown (kindIs "invalid" $import.whenDown) }}"},
{{- end }}
{{- range $tunnel := $.Values.tunnels }}
{{- range $network := $tunnel.remote.networks }}
    {"cidr": {{ toRawJson $network }}, "maxLength": {{ int64 (include "ipsec.prefixLength" $network) }}, "whenDown": "reject"},
{{- end }}
{{- end }}
    null
  ]
}
{{- end }}

{{- define "ipsec.nodeFilter" -}}
table inet {{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}
delete table inet {{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}
table inet {{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }} {
  # The pods of the gateways.
  set gateways {
    type ipv4_addr
  }
  set nodes4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found := false }}
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- if $found }}
    elements = {
{{- range $nodeCidr := $.Values.cluster.nodeCidrs }}
{{- if not (contains ":" $nodeCidr) }}
      {{ $nodeCidr }},
{{- end }}
{{- end }}
{{- range $nodeSource := $.Values.cluster.nodeSources }}
{{- if not (contains ":" $nodeSource) }}
      {{ $nodeSource }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
  set pods4 {
    type ipv4_addr
    flags interval
    auto-merge
{{- $found2 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
{{- $found2 = true }}
{{- end }}
{{- end }}
{{- if $found2 }}
    elements = {
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
      {{ $podCidr }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
  # What may come from a gateway: itself, and what is behind it.
  set remote4 {
    type ipv4_addr
    flags interval
    auto-merge
    elements = {
      {{ $.Values.routes.overlay.gatewayNetwork }},
{{- range $import := $.Values.routes.import }}
{{- if not (contains ":" $import.cidr) }}
      {{ $import.cidr }},
{{- end }}
{{- end }}
{{- range $tunnel := $.Values.tunnels }}
{{- range $network := $tunnel.remote.networks }}
{{- if not (contains ":" $network) }}
      {{ $network }},
{{- end }}
{{- end }}
{{- end }}
    }
  }
  set remote6 {
    type ipv6_addr
    flags interval
    auto-merge
    elements = {
      {{ $.Values.routes.overlay.ipv6Network }},
{{- range $import := $.Values.routes.import }}
{{- if contains ":" $import.cidr }}
      {{ $import.cidr }},
{{- end }}
{{- end }}
{{- range $tunnel := $.Values.tunnels }}
{{- range $network := $tunnel.remote.networks }}
{{- if contains ":" $network }}
      {{ $network }},
{{- end }}
{{- end }}
{{- end }}
    }
  }
  chain from_gateways {
    ip saddr @remote4 return
    ip6 saddr @remote6 return
    drop
  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    udp dport {{ $.Values.routes.overlay.port | int64 }} ip saddr @gateways accept
    udp dport {{ $.Values.routes.overlay.port | int64 }} ip saddr @nodes4 accept
    udp dport {{ $.Values.routes.overlay.port | int64 }} drop
    iifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" jump from_gateways
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" jump from_gateways
    # Where the CNI masquerades, another node could not tell a pod from this node.
    udp dport {{ $.Values.routes.overlay.port | int64 }} ip saddr @pods4 ip saddr != @gateways drop
  }
  chain clamp {
    type filter hook forward priority mangle; policy accept;
    meta nfproto ipv4 oifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
    meta nfproto ipv4 iifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
    meta nfproto ipv6 oifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
    meta nfproto ipv6 iifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
  }
  # A pod's own address in the place of itself: whoever comes after this finds that the flow has one.
  chain postrouting {
    type nat hook postrouting priority srcnat - 10; policy accept;
{{- $found3 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
{{- $found3 = true }}
{{- end }}
{{- end }}
{{- if $found3 }}
    oifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" snat ip prefix to ip saddr map {
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if not (contains ":" $podCidr) }}
      {{ $podCidr }} : {{ $podCidr }},
{{- end }}
{{- end }}
    }
{{- end }}
{{- $found4 := false }}
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
{{- $found4 = true }}
{{- end }}
{{- end }}
{{- if $found4 }}
    oifname "{{ printf "ovl%d" (mod (int64 (adler32sum (printf "%s/%s" $.Release.Namespace (include "ipsec.fullname" $)))) 1000000) }}" snat ip6 prefix to ip6 saddr map {
{{- range $podCidr := $.Values.cluster.podCidrs }}
{{- if contains ":" $podCidr }}
      {{ $podCidr }} : {{ $podCidr }},
{{- end }}
{{- end }}
    }
{{- end }}
  }
}
{{- end }}

{{- define "ipsec.selectorLabels2" -}}
app.kubernetes.io/name: {{ printf "%s-agents" (include "ipsec.name2" $) | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
{{- end }}

{{- define "ipsec.labelsWith2" -}}
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
app.kubernetes.io/name: {{ printf "%s-agents" (include "ipsec.name2" $) | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "ipsec.agentImage" -}}
{{- if not (kindIs "invalid" $.Values.frr.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.frr.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.frr.image.repository $.Values.frr.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.frr.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.frr.image.repository $.Values.frr.image.tag }}
{{- end }}
{{- end }}

{{- define "ipsec.filterImage" -}}
{{- if not (kindIs "invalid" $.Values.network.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.network.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.network.image.repository $.Values.network.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.network.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.network.image.repository $.Values.network.image.tag }}
{{- end }}
{{- end }}

{{- define "ipsec.leadsNowhere" -}}
{{- $bits := .bits -}}
{{- or (hasPrefix "4.00000000" $bits) (hasPrefix $bits "4.00000000") (hasPrefix "4.01111111" $bits) (hasPrefix $bits "4.01111111") (hasPrefix "4.1110" $bits) (hasPrefix $bits "4.1110") (hasPrefix "4.11111111111111111111111111111111" $bits) (hasPrefix $bits "4.11111111111111111111111111111111") (hasPrefix "6.0000000000000000" $bits) (hasPrefix $bits "6.0000000000000000") (hasPrefix "6.11111111" $bits) (hasPrefix $bits "6.11111111") (hasPrefix "4.1010100111111110" $bits) (hasPrefix $bits "4.1010100111111110") (hasPrefix "6.1111111010" $bits) (hasPrefix $bits "6.1111111010") }}
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
{{- if or (and (contains ":" $identity) (regexMatch "^(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,7}:|(?:[0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,5}(?::[0-9a-fA-F]{1,4}){2}|(?:[0-9a-fA-F]{1,4}:){1,4}(?::[0-9a-fA-F]{1,4}){3}|(?:[0-9a-fA-F]{1,4}:){1,3}(?::[0-9a-fA-F]{1,4}){4}|(?:[0-9a-fA-F]{1,4}:){1,2}(?::[0-9a-fA-F]{1,4}){5}|[0-9a-fA-F]{1,4}:(?::[0-9a-fA-F]{1,4}){6}|::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?)$" $identity)) (regexMatch "^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$" $identity) }}
{{- include "ipsec.networkBits" $identity }}
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

{{- define "ipsec.bgpKeepaliveSeconds" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.bgp).keepaliveSeconds) }}
{{- int64 ($tunnel.bgp).keepaliveSeconds }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- 3 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- 10 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp" }}
{{- 20 }}
{{- else }}
{{- 60 }}
{{- end }}
{{- end }}

{{- define "ipsec.bgpHoldSeconds" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.bgp).holdSeconds) }}
{{- int64 ($tunnel.bgp).holdSeconds }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan" }}
{{- 9 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws" }}
{{- 30 }}
{{- else if eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp" }}
{{- 60 }}
{{- else }}
{{- 180 }}
{{- end }}
{{- end }}

{{- define "ipsec.interfaceId" -}}
{{- $tunnel := .tunnel -}}
{{- add 1 (mod (int64 (adler32sum $tunnel)) 999999) }}
{{- end }}

{{- define "ipsec.overlayNumber" -}}
{{- $gateway := .gateway -}}
{{- add 1 (mod (int64 (adler32sum $gateway)) 65534) }}
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
{{- if ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled) }}

Agents lead the packets of all nodes: whether they do, and what one knows.

  kubectl -n {{ $.Release.Namespace }} rollout status daemonset/{{ include "ipsec.fullname" $ }}-agents
  kubectl -n {{ $.Release.Namespace }} exec ds/{{ include "ipsec.fullname" $ }}-agents -c filter -- curl -s http://127.0.0.1:{{ $.Values.agent.healthPort | int64 }}/status
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

{{- define "ipsec.bgpMultihopTtl" -}}
{{- $tunnel := .tunnel -}}
{{- if not (kindIs "invalid" ($tunnel.bgp).multihopTtl) }}
{{- int64 ($tunnel.bgp).multihopTtl }}
{{- else if or (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "strongswan") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "aws") (eq (include "ipsec.preset" (dict "tunnel" $tunnel)) "gcp") }}
{{- 1 }}
{{- else }}
{{- 255 }}
{{- end }}
{{- end }}

{{- define "ipsec.name2" -}}
{{- if not (kindIs "invalid" $.Values.nameOverride) }}
{{- $.Values.nameOverride }}
{{- else }}
{{- "ipsec" }}
{{- end }}
{{- end }}

{{- define "ipsec.detection" -}}
How long a failure goes unnoticed at most:
  a gateway's node is lost: {{ add 55 (int64 $.Values.lostNodeSeconds) }} s, then its pod starts on another one
{{- if ternary (eq $.Values.routes.mode "bgp") $.Values.agent.enabled (kindIs "invalid" $.Values.agent.enabled) }}
  a gateway or its node is lost: {{ ternary 9000 (mul (int64 $.Values.routes.bfd.intervalMilliseconds) (int64 $.Values.routes.bfd.multiplier)) (eq $.Values.agent.bfd "off") }} ms, then the nodes use the others{{ ternary "; 9 s where an agent runs without BFD" "" (eq $.Values.agent.bfd "auto") }}
{{- end }}
{{- range $name, $tunnel := $.Values.tunnels }}
  tunnel {{ $name }}, the remote end is silent: {{ add 2 (add (int64 (include "ipsec.dpdDelaySeconds" (dict "tunnel" $tunnel))) (mul (add (int64 $.Values.retransmission.tries) 1) (int64 $.Values.retransmission.intervalSeconds))) }} s
{{- if and (eq $.Values.routes.mode "bgp") (not (kindIs "invalid" $tunnel.bgp)) }}
  tunnel {{ $name }}, BGP: {{ min (int64 (include "ipsec.bgpHoldSeconds" (dict "tunnel" $tunnel))) (add 2 (add (int64 (include "ipsec.dpdDelaySeconds" (dict "tunnel" $tunnel))) (mul (add (int64 $.Values.retransmission.tries) 1) (int64 $.Values.retransmission.intervalSeconds)))) }} s, then the nodes use the other tunnels; at the remote end {{ include "ipsec.bgpHoldSeconds" (dict "tunnel" $tunnel) | int64 }} s, or its own hold time if that is shorter
{{- if not (kindIs "invalid" ($tunnel.bgp).bfd) }}
  tunnel {{ $name }}, BFD: {{ mul (ternary 300 (int64 (($tunnel.bgp).bfd).intervalMilliseconds) (kindIs "invalid" (($tunnel.bgp).bfd).intervalMilliseconds)) (ternary 5 (int64 (($tunnel.bgp).bfd).multiplier) (kindIs "invalid" (($tunnel.bgp).bfd).multiplier)) }} ms at both ends, if the remote end has the same times
{{- end }}
{{- end }}
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
