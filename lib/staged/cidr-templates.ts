import type { HelperTemplate } from './operations';

/** The prefix bits of a network as text, `4.` or `6.` in front; a bare address has all its bits. */
export const NETWORK_BITS: HelperTemplate = {
  name: 'networkBits',
  body: `{{- $parts := splitList "/" . }}
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
{{- $bits }}`,
};

/** The first host address of a network. */
export const FIRST_HOST: HelperTemplate = {
  name: 'firstHost',
  body: `{{- $address := first (splitList "/" .) }}
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
{{- end }}`,
};

/** The length of a network's prefix; a bare address has the full one. */
export const PREFIX_LENGTH: HelperTemplate = {
  name: 'prefixLength',
  body: `{{- if contains "/" . }}
{{- last (splitList "/" .) }}
{{- else }}
{{- ternary "128" "32" (contains ":" .) }}
{{- end }}`,
};
