{{/* Takes a list: context, kind and name of the role. */}}
{{- define "tollgate.binding" }}
{{- $context := index . 0 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ include "tollgate.serviceAccount" $context }}
    namespace: {{ $context.Release.Namespace }}
{{- end }}

{{/* In each watched namespace: the objects and what they refer to. */}}
{{- define "tollgate.objectRules" -}}
- apiGroups: [tollgate.dev]
  resources: [authconfigs, servicetokens, subscriptions, toolmanifests]
  verbs: [get, list, watch]
# The two with a finalizer.
- apiGroups: [tollgate.dev]
  resources: [servicetokens, subscriptions]
  verbs: [patch]
- apiGroups: [tollgate.dev]
  resources: [authconfigs/status, servicetokens/status, subscriptions/status, toolmanifests/status]
  verbs: [patch]
# What an owner reference that blocks deletion needs.
- apiGroups: [tollgate.dev]
  resources: [authconfigs/finalizers, servicetokens/finalizers, subscriptions/finalizers, toolmanifests/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* In the release's own namespace: the lease, the own Deployment and its Pods. */}}
{{- define "tollgate.selfRules" -}}
{{- $name := include "tollgate.name" . -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "tollgate.lease" . }}]
  verbs: [get, update]
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [{{ $name }}]
  verbs: [get, list, watch, patch]
- apiGroups: [apps]
  resources: [deployments/scale]
  resourceNames: [{{ $name }}]
  verbs: [get, patch]
{{- if and .Values.selfManagement.enabled (eq .Values.selfManagement.deploymentMode "own") }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create]
{{- end }}
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ $name }}-template, {{ $name }}-healing-state]
  verbs: [create, patch]
{{- if not (include "tollgate.watchesOwn" .) }}
# The own namespace is not among the watched: the policy data, the template and the healing state, the keys of tools, the generated admin token, Events about the own Deployment.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ $name }}-policy]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ $name }}-template, {{ $name }}-healing-state]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [tollgate-admin-token, tollgate-session-key]
  verbs: [get]
# (what is made has no name yet when its right is asked for, and a right cannot tell labels)
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch, create]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
{{- end }}

{{/* In each namespace in which alerts may be healed. */}}
{{- define "tollgate.healingRules" -}}
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, patch]
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
{{- end }}

{{/* What has no namespace, only when it is asked for. */}}
{{- define "tollgate.clusterRules" -}}
{{- if .Values.rbac.tokenReview }}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
{{- end }}
{{- if or (include "tollgate.watchesAll" .) (gt (len (include "tollgate.watched" . | fromJsonArray)) 1) }}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
{{- end }}
{{- if and .Values.autoheal.enabled .Values.autoheal.allowCordon }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, patch]
{{- end }}
{{- end }}
