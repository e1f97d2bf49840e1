{{/* The environment of the container: what the values say, under the names of docs/reference/settings.md. */}}
{{- define "tollgate.env" -}}
{{- $v := .Values -}}
{{- $name := include "tollgate.name" . -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- $plain := dict
      "TOLLGATE_DEPLOYMENT" $name "TOLLGATE_LEASE_NAME" $v.leaseName "TOLLGATE_LISTEN" "0.0.0.0:8080" "TOLLGATE_PROBE_LISTEN" "0.0.0.0:8081"
      "TOLLGATE_GRPC_LISTEN" "0.0.0.0:50051" "TOLLGATE_DATA_DIR" "/var/lib/tollgate"
      "TOLLGATE_WATCH_NAMESPACES" (ternary "*" (include "tollgate.watched" . | fromJsonArray | join ",") (eq (include "tollgate.watchesAll" .) "true"))
      "TOLLGATE_PLATFORM_NAMESPACES" (join "," $v.platformNamespaces)
      "TOLLGATE_AUTH_MODE" $v.auth.mode "TOLLGATE_TRUSTED_PROXIES" (join "," $v.trustedProxies)
      "TOLLGATE_PUBLIC_URL" $v.publicUrl "TOLLGATE_CORS_ALLOW_ORIGINS" (join "," $v.corsAllowOrigins)
      "TOLLGATE_BILLING_MODE" $v.billing.mode
      "KEYCLOAK_URL" $v.keycloak.url "KEYCLOAK_REALM" $v.keycloak.realm "KEYCLOAK_CLIENT_ID" $v.keycloak.clientId
      "OPA_LOCAL_MODE" (ternary "false" "true" $v.opa.enabled)
      "VAULT_ADDR" $v.vault.address "VAULT_ROLE" $v.vault.role "VAULT_AUTH_MOUNT" $v.vault.authMount
      "VAULT_NAMESPACE" $v.vault.namespace
      "S3_BUCKET" $v.s3.bucket "S3_PREFIX" $v.s3.prefix "S3_ENDPOINT" $v.s3.endpoint "S3_REGION" $v.s3.region
      "S3_OBJECT_LOCK_MODE" $v.s3.objectLock.mode }}
{{- $tenants := list }}
{{- range $namespace, $tenant := $v.namespaceTenants }}{{ $tenants = append $tenants (printf "%s=%s" $namespace $tenant) }}{{ end }}
{{- $_ := set $plain "TOLLGATE_NAMESPACE_TENANTS" (join "," $tenants) }}
{{- if or $v.policy.roles $v.policy.routes }}{{ $_ := set $plain "TOLLGATE_POLICY_CONFIGMAP" (printf "%s-policy" $name) }}{{ end }}
{{- if $v.billing.plans }}{{ $_ := set $plain "TOLLGATE_BILLING_PLANS_FILE" "/etc/tollgate/billing/plans.yaml" }}{{ end }}
{{- if $v.billing.prices }}{{ $_ := set $plain "TOLLGATE_BILLING_PRICES_FILE" "/etc/tollgate/billing/prices.yaml" }}{{ end }}
{{- if $v.oidc.enabled }}
{{- $_ := set $plain "OIDC_ENABLED" "true" }}{{ $_ := set $plain "OIDC_ISSUER" $v.oidc.issuer }}
{{- $_ := set $plain "OIDC_AUDIENCE" $v.oidc.audience }}{{ $_ := set $plain "OIDC_JWKS_URI" $v.oidc.jwksUri }}
{{- end }}
{{- if or $v.stripe.apiKey $v.stripe.webhookSecret $v.stripe.existingSecret }}
{{- if or $v.stripe.apiKey $v.stripe.existingSecret }}{{ $_ := set $plain "STRIPE_API_KEY_FILE" "/etc/tollgate/stripe/apiKey" }}{{ end }}
{{- if or $v.stripe.webhookSecret $v.stripe.existingSecret }}{{ $_ := set $plain "STRIPE_WEBHOOK_SECRET_FILE" "/etc/tollgate/stripe/webhookSecret" }}{{ end }}
{{- end }}
{{- if $v.opa.enabled }}
{{- $_ := set $plain "OPA_URL" "http://localhost:8181" }}{{ $_ := set $plain "OPA_FAIL_OPEN" (toString $v.opa.failOpen) }}
{{- end }}
{{- if $v.vault.caSecret }}{{ $_ := set $plain "VAULT_CACERT" "/etc/tollgate/vault/ca.crt" }}{{ end }}
{{- if $v.s3.objectLock.days }}{{ $_ := set $plain "S3_OBJECT_LOCK_DAYS" ($v.s3.objectLock.days | int | toString) }}{{ end }}
{{- if $v.eventStream.enabled }}{{ $_ := set $plain "TOLLGATE_EVENT_STREAM_PATH" $v.eventStream.path }}{{ end }}
{{- if $v.tls.existingSecret }}
{{- $_ := set $plain "TOLLGATE_TLS_CERT_FILE" "/etc/tollgate/tls/tls.crt" }}{{ $_ := set $plain "TOLLGATE_TLS_KEY_FILE" "/etc/tollgate/tls/tls.key" }}
{{- end }}
{{- $_ := set $plain "AUTOHEAL_ENABLED" (toString $v.autoheal.enabled) }}
{{- if $v.autoheal.enabled }}
{{- $_ := set $plain "AUTOHEAL_DRY_RUN" (toString $v.autoheal.dryRun) }}{{ $_ := set $plain "ALERTMANAGER_URL" $v.autoheal.alertmanagerUrl }}
{{- $_ := set $plain "AUTOHEAL_NAMESPACES" ($v.autoheal.namespaces | default (list .Release.Namespace) | join ",") }}
{{- if $v.autoheal.rules }}{{ $_ := set $plain "AUTOHEAL_RULES_FILE" "/etc/tollgate/autoheal/rules.yaml" }}{{ end }}
{{- end }}
{{- with $v.selfManagement }}
{{- $_ := set $plain "TOLLGATE_SELF_HEAL" (ternary (toString .heal) "false" .enabled) }}
{{- $_ := set $plain "TOLLGATE_DEPLOYMENT_MODE" (ternary .deploymentMode "off" .enabled) }}
{{- $_ := set $plain "TOLLGATE_AUTOSCALE" (ternary .autoscale.mode "off" .enabled) }}
{{- $_ := set $plain "TOLLGATE_SCALE_MIN" (.scale.min | int | toString) }}{{ $_ := set $plain "TOLLGATE_SCALE_MAX" (.scale.max | int | toString) }}
{{- if and .enabled (eq .autoscale.mode "rps") }}{{ $_ := set $plain "TOLLGATE_AUTOSCALE_TARGET_RPS" (.autoscale.targetRps | int | toString) }}{{ end }}
{{- if and .enabled (eq .autoscale.mode "cpu") }}{{ $_ := set $plain "TOLLGATE_AUTOSCALE_TARGET_CPU" (.autoscale.targetCpu | int | toString) }}{{ end }}
{{- end }}
{{- range $variable, $value := $plain }}
{{- if $value }}
- name: {{ $variable }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- range list
      (list "auth" "token" "TOLLGATE_AUTH_TOKEN") (list "auth" "bootstrapToken" "TOLLGATE_AUTH_BOOTSTRAP_SERVICE_TOKEN")
      (list "keycloak" "clientSecret" "KEYCLOAK_CLIENT_SECRET") (list "keycloak" "adminUsername" "KEYCLOAK_ADMIN_USERNAME")
      (list "keycloak" "adminPassword" "KEYCLOAK_ADMIN_PASSWORD") (list "redis" "url" "REDIS_URL")
      (list "postgresql" "url" "TOLLGATE_DATABASE_URL")
      (list "postgresql" "adminUrl" "TOLLGATE_DATABASE_ADMIN_URL") (list "s3" "accessKey" "S3_ACCESS_KEY")
      (list "s3" "secretKey" "S3_SECRET_KEY") (list "autoheal" "webhookToken" "AUTOHEAL_WEBHOOK_TOKEN") }}
{{- $section := index . 0 }}
{{- $values := index $v $section }}
{{- if or $values.existingSecret (index $values (index . 1)) }}
{{ include "tollgate.secretEnv" (list (index . 2) (include "tollgate.secretName" (list $ $values $section)) (index . 1) (and $values.existingSecret (or (has $section (list "auth" "keycloak")) (eq (index . 1) "adminUrl")))) }}
{{- end }}
{{- end }}
{{- with $v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
