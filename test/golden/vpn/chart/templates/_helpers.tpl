{{- define "vpn.fullname" -}}
{{- if not (kindIs "invalid" $.Values.wireguard.fullnameOverride) }}
{{- $.Values.wireguard.fullnameOverride }}
{{- else if contains (include "vpn.name" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "vpn.name" $) }}
{{- end }}
{{- end }}

{{- define "vpn.fullname2" -}}
{{- if not (kindIs "invalid" $.Values.ipsec.fullnameOverride) }}
{{- $.Values.ipsec.fullnameOverride }}
{{- else if contains (include "vpn.name2" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "vpn.name2" $) }}
{{- end }}
{{- end }}

{{- define "vpn.fullname3" -}}
{{- if not (kindIs "invalid" $.Values.kilo.fullnameOverride) }}
{{- $.Values.kilo.fullnameOverride }}
{{- else if contains (include "vpn.name3" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "vpn.name3" $) }}
{{- end }}
{{- end }}

{{- define "vpn.fullname4" -}}
{{- if not (kindIs "invalid" $.Values.wireguard.fullnameOverride) }}
{{- $.Values.wireguard.fullnameOverride }}
{{- else if contains (include "vpn.name4" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "vpn.name4" $) }}
{{- end }}
{{- end }}

{{- define "vpn.fullname5" -}}
{{- if not (kindIs "invalid" $.Values.ipsec.fullnameOverride) }}
{{- $.Values.ipsec.fullnameOverride }}
{{- else if contains (include "vpn.name5" $) $.Release.Name }}
{{- $.Release.Name }}
{{- else }}
{{- printf "%s-%s" $.Release.Name (include "vpn.name5" $) }}
{{- end }}
{{- end }}

{{- define "vpn.notes" -}}
Release {{ $.Release.Name }} in namespace {{ $.Release.Namespace }}. What follows is said by each chart of its own values: tunnels of ipsec is
ipsec.tunnels here.
{{- end }}

{{- define "vpn.name" -}}
{{- if not (kindIs "invalid" $.Values.wireguard.nameOverride) }}
{{- $.Values.wireguard.nameOverride }}
{{- else }}
{{- "wireguard" }}
{{- end }}
{{- end }}

{{- define "vpn.name2" -}}
{{- if not (kindIs "invalid" $.Values.ipsec.nameOverride) }}
{{- $.Values.ipsec.nameOverride }}
{{- else }}
{{- "ipsec" }}
{{- end }}
{{- end }}

{{- define "vpn.name3" -}}
{{- if not (kindIs "invalid" $.Values.kilo.nameOverride) }}
{{- $.Values.kilo.nameOverride }}
{{- else }}
{{- "kilo" }}
{{- end }}
{{- end }}

{{- define "vpn.name4" -}}
{{- if not (kindIs "invalid" $.Values.wireguard.nameOverride) }}
{{- $.Values.wireguard.nameOverride }}
{{- else }}
{{- "wireguard" }}
{{- end }}
{{- end }}

{{- define "vpn.name5" -}}
{{- if not (kindIs "invalid" $.Values.ipsec.nameOverride) }}
{{- $.Values.ipsec.nameOverride }}
{{- else }}
{{- "ipsec" }}
{{- end }}
{{- end }}

{{- define "vpn.networkBits" -}}
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

{{- define "vpn.prefixLength" -}}
{{- if contains "/" . }}
{{- last (splitList "/" .) }}
{{- else }}
{{- ternary "128" "32" (contains ":" .) }}
{{- end }}
{{- end }}
