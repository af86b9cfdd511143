{{/*
The chart of a WireGuard server as a careful person writes it by hand: the same objects, no schema, no checks.
bench.ts puts Chart.yaml, values.yaml and the scripts beside it and proves that the objects are the same.
*/}}

{{- define "wireguard.name" -}}
{{- default .Chart.Name .Values.nameOverride }}
{{- end }}

{{- define "wireguard.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else }}
{{- $name := include "wireguard.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "wireguard.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wireguard.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wireguard.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "wireguard.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wireguard.image" -}}
{{- $registry := default .image.registry .global.imageRegistry }}
{{- if .image.digest }}
{{- printf "%s/%s@%s" $registry .image.repository .image.digest }}
{{- else }}
{{- printf "%s/%s:%s" $registry .image.repository .image.tag }}
{{- end }}
{{- end }}

{{- define "wireguard.firstHost" -}}
{{- $parts := splitList "/" . }}
{{- if contains ":" . }}
{{- printf "%s1/%s" (first $parts) (last $parts) }}
{{- else }}
{{- $bytes := splitList "." (first $parts) }}
{{- printf "%s.%s.%s.%d/%s" (index $bytes 0) (index $bytes 1) (index $bytes 2) (add 1 (index $bytes 3)) (last $parts) }}
{{- end }}
{{- end }}

{{- define "wireguard.accept" -}}
{{- $match := printf "%s daddr %s" (ternary "ip6" "ip" (contains ":" .destination)) .destination }}
{{- range $index, $port := .ports }}
{{- if $index }}
{{ end }}
{{- $match }} {{ lower (default "TCP" .protocol) }} dport {{ .port }}{{ with .endPort }}-{{ . }}{{ end }} accept
{{- else }}
{{- $match }} accept
{{- end }}
{{- end }}
