{{/* The name of everything: the release's, with "tollgate" in it. */}}
{{- define "tollgate.name" -}}
{{- if contains "tollgate" .Release.Name -}}{{ .Release.Name | trunc 48 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-tollgate" .Release.Name | trunc 48 | trimSuffix "-" }}{{- end -}}
{{- end }}

{{/* The Lease whose holder writes to the cluster. */}}
{{- define "tollgate.lease" -}}{{ .Values.leaseName | default (include "tollgate.name" .) }}{{- end }}

{{/* "true" where requests are answered: a worker has nothing but its probe listener. */}}
{{- define "tollgate.answers" -}}{{- if ne .Values.role "worker" -}}true{{- end -}}{{- end }}

{{- define "tollgate.selectorLabels" -}}
app.kubernetes.io/name: tollgate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tollgate.labels" -}}
{{ include "tollgate.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "tollgate.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "tollgate.name" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{- define "tollgate.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* "true" where more than one replica may run at once. */}}
{{- define "tollgate.several" -}}
{{- if or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled (and .Values.selfManagement.enabled (ne .Values.selfManagement.autoscale.mode "off")) -}}true{{- end -}}
{{- end }}

{{- define "tollgate.postgresql" -}}
{{- if or .Values.postgresql.url .Values.postgresql.existingSecret -}}true{{- end -}}
{{- end }}

{{/* "true" where the one replica keeps its files on a volume of its own. */}}
{{- define "tollgate.ownsVolume" -}}
{{- if and .Values.persistence.enabled (not (include "tollgate.several" .)) -}}true{{- end -}}
{{- end }}

{{/* "true" where every namespace is watched. */}}
{{- define "tollgate.watchesAll" -}}{{- if has "*" .Values.watchNamespaces -}}true{{- end -}}{{- end }}

{{/* The watched namespaces as a JSON list; none where all are. */}}
{{- define "tollgate.watched" -}}
{{- if include "tollgate.watchesAll" . -}}[]
{{- else -}}{{ .Values.watchNamespaces | default (list .Release.Namespace) | uniq | sortAlpha | toJson }}{{- end -}}
{{- end }}

{{/* "true" where the release's own namespace is among the watched. */}}
{{- define "tollgate.watchesOwn" -}}
{{- if or (include "tollgate.watchesAll" .) (has .Release.Namespace (include "tollgate.watched" . | fromJsonArray)) -}}true{{- end -}}
{{- end }}

{{/* A value that is text or an object, as YAML text. */}}
{{- define "tollgate.yamlText" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toYaml . }}{{- end -}}
{{- end }}
{{- define "tollgate.jsonText" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toPrettyJson . }}{{- end -}}
{{- end }}

{{/* Where a secret is: the existing Secret, else the release's own. Takes a list: context, values, suffix. */}}
{{- define "tollgate.secretName" -}}
{{- $context := index . 0 -}}{{- $values := index . 1 -}}
{{- $values.existingSecret | default (printf "%s-%s" (include "tollgate.name" $context) (index . 2)) -}}
{{- end }}

{{/* One variable out of a Secret. Takes a list: variable, Secret, key, optional. */}}
{{- define "tollgate.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
      {{- if index . 3 }}
      optional: true
      {{- end }}
{{- end }}

{{/* What every container may do: nothing but run. */}}
{{- define "tollgate.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}
{{- define "tollgate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "tollgate.scheme" -}}{{ ternary "https" "http" (ne .Values.tls.existingSecret "") }}{{- end }}
{{- define "tollgate.servicePort" -}}{{ .Values.service.port | default (ternary 443 80 (ne .Values.tls.existingSecret "")) }}{{- end }}
