{{- define "kilo.fullname" -}}
{{- if not (kindIs "invalid" $.Values.fullnameOverride) }}
{{- $.Values.fullnameOverride }}
{{- else if contains (include "kilo.name" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "kilo.name" $) }}
{{- end }}
{{- end }}

{{- define "kilo.labels" -}}
{{- range $key, $value := $.Values.commonLabels }}
{{- if not (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
helm.sh/chart: {{ replace "+" "_" (printf "%s-%s" $.Chart.Name $.Chart.Version) | quote }}
app.kubernetes.io/name: {{ include "kilo.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "kilo.cniConfiguration" -}}
{
  "cniVersion": "0.4.0",
  "name": "kilo",
  "plugins": [
    {
      "name": "kubernetes",
      "type": "bridge",
      "bridge": "kube-bridge",
      "isDefaultGateway": true,
      "forceAddress": true,
      "mtu": {{ $.Values.cni.mtu | int64 }},
      "ipam": { "type": "host-local" }
    },
    { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } }
  ]
}
{{- end }}

{{- define "kilo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kilo.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
{{- end }}

{{- define "kilo.labelsWith" -}}
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
app.kubernetes.io/name: {{ include "kilo.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "kilo.image" -}}
{{- if not (kindIs "invalid" $.Values.image.digest) }}
{{- printf "%s/%s@%s" (ternary $.Values.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.image.repository $.Values.image.digest }}
{{- else }}
{{- printf "%s/%s:%s" (ternary $.Values.image.registry $.Values.global.imageRegistry (kindIs "invalid" $.Values.global.imageRegistry)) $.Values.image.repository $.Values.image.tag }}
{{- end }}
{{- end }}

{{- define "kilo.labels2" -}}
{{- range $key, $value := $.Values.commonLabels }}
{{- if not (eq $key "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") }}
{{ $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
helm.sh/chart: {{ replace "+" "_" (printf "%s-%s" $.Chart.Name $.Chart.Version) | quote }}
app.kubernetes.io/name: {{ printf "%s-peers" (include "kilo.name2" $) | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "kilo.addressFamilies" -}}
{{- $addresses := .addresses -}}
{{- if contains ":" (join " " $addresses) }}
{{- if contains "." (join " " $addresses) }}
{{- "IPv4 IPv6" }}
{{- else }}
{{- "IPv6" }}
{{- end }}
{{- else }}
{{- "IPv4" }}
{{- end }}
{{- end }}

{{- define "kilo.labelsWith2" -}}
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
app.kubernetes.io/name: {{ printf "%s-peers" (include "kilo.name2" $) | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/version: {{ replace "+" "_" $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service | quote }}
{{- end }}

{{- define "kilo.leadsNowhere" -}}
{{- $bits := .bits -}}
{{- or (hasPrefix "4.00000000" $bits) (hasPrefix $bits "4.00000000") (hasPrefix "4.01111111" $bits) (hasPrefix $bits "4.01111111") (hasPrefix "4.1110" $bits) (hasPrefix $bits "4.1110") (hasPrefix "4.11111111111111111111111111111111" $bits) (hasPrefix $bits "4.11111111111111111111111111111111") (hasPrefix "6.0000000000000000" $bits) (hasPrefix $bits "6.0000000000000000") (hasPrefix "6.11111111" $bits) (hasPrefix $bits "6.11111111") (hasPrefix "4.1010100111111110" $bits) (hasPrefix $bits "4.1010100111111110") (hasPrefix "6.1111111010" $bits) (hasPrefix $bits "6.1111111010") }}
{{- end }}

{{- define "kilo.notes" -}}
Kilo {{ include "kilo.fullname" $ }} in namespace {{ $.Release.Namespace }}. Peers in the values: {{ int64 (len $.Values.peers) }}.
{{- if eq $.Values.cni.plugin "kilo" }}

It is the network plugin of the nodes: pods start where its agent runs.
{{- else }}

It works beside the network plugin {{ $.Values.cni.plugin }}: pods are reached at the addresses of the pod network that the Node object of their
node has.
{{- end }}

1. See that it is ready, and that the agents see each other:

     kubectl -n {{ $.Release.Namespace }} rollout status daemonset/{{ include "kilo.fullname" $ }}
     helm test {{ $.Release.Name }} -n {{ $.Release.Namespace }}

2. Which nodes are in the mesh, where they are reached, by UDP, and which lead:

     kubectl get nodes -o custom-columns='NAME:.metadata.name,ENDPOINT:.metadata.annotations.kilo\.squat\.ai/endpoint,ADDRESS:.metadata.annotations.kilo\.squat\.ai/wireguard-ip'

   A node that others do not reach at that endpoint is told the right one: kubectl annotate node NODE kilo.squat.ai/force-endpoint=HOST:{{ $.Values.listenPort | int64 }}
{{- if not $.Values.peers }}

3. No peer is configured yet: add one to peers, and run helm upgrade.
{{- else }}

3. What the file of a peer has to say of the mesh:
{{- range $name, $_ := $.Values.peers }}

     kgctl showconf peer {{ $name }}
{{- end }}
{{- end }}
{{- range $name, $peer := $.Values.peers }}
{{- range $name2, $service := $peer.services }}

What peer {{ $name }} serves is reached in the cluster at {{ $name2 }}.{{ ternary $.Release.Namespace $service.namespace (kindIs "invalid" $service.namespace) }}.svc.
{{- end }}
{{- end }}

The pods are privileged, in the network of their nodes: where Pod Security is enforced, the namespace needs the level privileged.

  kubectl label namespace {{ $.Release.Namespace }} pod-security.kubernetes.io/enforce=privileged

helm uninstall leaves the definition of Peer objects, with all of them that are not of this release, and on the nodes /var/lib/kilo with
their private keys:

  kubectl delete customresourcedefinition peers.kilo.squat.ai
{{- if not $.Values.cleanUp.interface }}

It also leaves the interface {{ $.Values.interfaceName }}; on each node:

  ip link delete {{ $.Values.interfaceName }}
{{- end }}
{{- end }}

{{- define "kilo.name" -}}
{{- if not (kindIs "invalid" $.Values.nameOverride) }}
{{- $.Values.nameOverride }}
{{- else }}
{{- "kilo" }}
{{- end }}
{{- end }}

{{- define "kilo.name2" -}}
{{- if not (kindIs "invalid" $.Values.nameOverride) }}
{{- $.Values.nameOverride }}
{{- else }}
{{- "kilo" }}
{{- end }}
{{- end }}

{{- define "kilo.textBlock" -}}
{{- if regexMatch "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x{9f}\\x{2028}\\x{2029}\\x{feff}]" . }}
{{- fail "a value with a control character or a line separator would break a configuration file; install with schema validation to see which" }}
{{- end }}
{{- . }}
{{- end }}

{{- define "kilo.prefixLength" -}}
{{- if contains "/" . }}
{{- last (splitList "/" .) }}
{{- else }}
{{- ternary "128" "32" (contains ":" .) }}
{{- end }}
{{- end }}

{{- define "kilo.networkBits" -}}
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
