{{/* What a schema cannot say. Each refusal says what to do. */}}
{{- define "tollgate.checks" -}}
{{- $v := .Values -}}
{{- range list
      (list "auth" "token") (list "auth" "bootstrapToken") (list "keycloak" "clientSecret") (list "keycloak" "adminUsername")
      (list "keycloak" "adminPassword") (list "stripe" "apiKey") (list "stripe" "webhookSecret") (list "redis" "url")
      (list "postgresql" "url") (list "postgresql" "adminUrl") (list "s3" "accessKey") (list "s3" "secretKey") (list "autoheal" "webhookToken") -}}
  {{- $section := index . 0 -}}{{- $values := index $v $section -}}
  {{- if and $values.existingSecret (index $values (index . 1)) -}}
    {{- fail (printf "%s.%s and %s.existingSecret are both given: keep one of them" $section (index . 1) $section) -}}
  {{- end -}}
{{- end -}}
{{- if not (include "tollgate.postgresql" .) -}}
  {{- if include "tollgate.several" . -}}
    {{- fail "several replicas need postgresql.url or postgresql.existingSecret: the embedded store belongs to one replica" -}}
  {{- end -}}
  {{- if ne $v.role "all" -}}
    {{- fail (printf "role %s needs postgresql.url or postgresql.existingSecret: the embedded store belongs to one replica of role all" $v.role) -}}
  {{- end -}}
{{- end -}}
{{- if and $v.postgresql.adminUrl (not $v.postgresql.url) -}}
  {{- fail "postgresql.adminUrl needs postgresql.url: the owner of the schema is not who works with it" -}}
{{- end -}}
{{- if and (include "tollgate.several" .) $v.persistence.existingClaim -}}
  {{- fail "persistence.existingClaim cannot be shared by several replicas: leave it empty, each then has a directory of its own" -}}
{{- end -}}
{{- if and (include "tollgate.watchesAll" .) (gt (len $v.watchNamespaces) 1) -}}
  {{- fail "watchNamespaces names * and others: * alone means all namespaces" -}}
{{- end -}}
{{- if and $v.oidc.enabled (not $v.oidc.issuer) -}}
  {{- fail "oidc.enabled needs oidc.issuer" -}}
{{- end -}}
{{- if and (or $v.keycloak.clientSecret $v.keycloak.existingSecret) (not (and $v.keycloak.url $v.keycloak.realm)) -}}
  {{- fail "keycloak.clientSecret needs keycloak.url and keycloak.realm: no server is trusted by default" -}}
{{- end -}}
{{- if and (eq $v.billing.mode "frontend") (or $v.stripe.apiKey $v.stripe.existingSecret) -}}
  {{- fail "billing.mode frontend and stripe are both given: in that mode Tollgate holds no Stripe key" -}}
{{- end -}}
{{- if ne (not $v.s3.accessKey) (not $v.s3.secretKey) -}}
  {{- fail "s3.accessKey and s3.secretKey: give both or neither" -}}
{{- end -}}
{{- if and $v.opa.enabled (not $v.opa.image.digest) -}}
  {{- fail "opa.enabled needs opa.image.digest: the image that decides is pinned" -}}
{{- end -}}
{{- if and $v.autoheal.enabled (not $v.autoheal.dryRun) -}}
  {{- if not $v.autoheal.rules -}}
    {{- fail "autoheal.enabled without autoheal.dryRun needs autoheal.rules" -}}
  {{- end -}}
  {{- if not (or $v.autoheal.webhookToken $v.autoheal.existingSecret) -}}
    {{- fail "live healing needs autoheal.webhookToken or autoheal.existingSecret: who may report alerts" -}}
  {{- end -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
  {{- fail "ingress.enabled needs ingress.hosts" -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) -}}
  {{- fail "gateway.enabled needs gateway.parentRefs: the Gateways that the route belongs to" -}}
{{- end -}}
{{- if and (not (include "tollgate.answers" .)) (or $v.ingress.enabled $v.gateway.enabled) -}}
  {{- fail "role worker answers no requests: ingress and gateway belong to a release of role api or all" -}}
{{- end -}}
{{- if gt (int $v.selfManagement.scale.min) (int $v.selfManagement.scale.max) -}}
  {{- fail "selfManagement.scale.min is above selfManagement.scale.max" -}}
{{- end -}}
{{- end }}
