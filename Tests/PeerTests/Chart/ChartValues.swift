// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Values of the chart that together take every branch of its templates.
enum ChartValues {
    /// A digest that no image has.
    static let digest = "sha256:" + String(repeating: "a", count: 64)
    /// Marks every text that must be in Secrets alone.
    static let secret = "hush-"

    /// By what they are about.
    static let all: [(name: String, values: JSONValue)] = [
        ("defaults", [:]),
        ("several replicas", several), ("autoscaler", autoscaler), ("engine", engine), ("data", data),
        ("everywhere", ["watchNamespaces": ["*"], "rbac": ["tokenReview": true], "auth": ["mode": "optional"]]),
        ("two namespaces", twoNamespaces), ("live healing", healing), ("secrets by value", secretsByValue),
        ("secrets by name", secretsByName), ("outside", outside), ("monitoring", monitoring), ("doors", doors),
        ("pod", pod), ("bare", bare), ("one without a volume", oneWithoutVolume), ("own deployment", ownDeployment),
        ("worker", worker),
    ]

    static let several: JSONValue = [
        "replicas": 3, "postgresql": ["url": "postgres://hush-user@db/tollgate"],
        "networkPolicy": ["enabled": true],
    ]
    static let autoscaler: JSONValue = [
        "autoscaling": ["enabled": true], "postgresql": ["existingSecret": "database"],
        "networkPolicy": ["enabled": true, "egress": [["ports": [["port": 5432]]]], "apiServerCIDRs": ["10.1.0.1/32"]],
    ]
    static let engine: JSONValue = [
        "opa": ["enabled": true, "failOpen": true, "image": ["digest": .string(digest)]]
    ]
    static let data: JSONValue = [
        "opa": ["enabled": true, "image": ["digest": .string(digest)]],
        "policy": ["roles": ["roles": [:]], "routes": "version: 1\nrules: []\n"],
        "billing": ["plans": ["version": 1], "prices": "version: 1\n"],
    ]
    static let twoNamespaces: JSONValue = [
        "watchNamespaces": ["beta", "acme"], "namespaceTenants": ["acme": "acme", "beta": "b"],
        "platformNamespaces": ["tollgate-system", "ops"],
    ]
    static let healing: JSONValue = [
        "autoheal": [
            "enabled": true, "dryRun": false, "rules": ["version": 1, "rules": []], "webhookToken": "hush-hook",
            "allowCordon": true, "namespaces": ["crm", "acme"], "alertmanagerUrl": "http://alertmanager.obs:9093",
        ]
    ]
    static let secretsByValue: JSONValue = [
        "auth": ["token": "hush-admin", "bootstrapToken": "hush-bootstrap"],
        "keycloak": [
            "url": "https://id.example", "realm": "acme", "clientId": "gate", "clientSecret": "hush-client",
            "adminUsername": "hush-root", "adminPassword": "hush-password",
        ],
        "stripe": ["apiKey": "hush-stripe", "webhookSecret": "hush-webhook"],
        "redis": ["url": "redis://:hush-redis@cache"],
        "postgresql": ["url": "postgres://u:hush-db@db/t", "adminUrl": "postgres://o:hush-owner@db/t"],
        "s3": ["bucket": "b", "accessKey": "hush-access", "secretKey": "hush-s3"],
        "autoheal": ["webhookToken": "hush-hook"],
    ]
    static let secretsByName: JSONValue = [
        "auth": ["existingSecret": "a"], "stripe": ["existingSecret": "st"], "redis": ["existingSecret": "r"],
        "keycloak": ["url": "https://id.example", "realm": "acme", "existingSecret": "k"],
        "postgresql": ["existingSecret": "p"], "s3": ["bucket": "b", "existingSecret": "s"],
        "autoheal": ["enabled": true, "dryRun": false, "rules": "version: 1\nrules: []\n", "existingSecret": "h"],
    ]
    static let outside: JSONValue = [
        "vault": [
            "address": "https://vault.example", "role": "tollgate", "authMount": "kube", "namespace": "team",
            "caSecret": "vault-ca",
        ],
        "s3": [
            "bucket": "b", "prefix": "events/", "endpoint": "https://s3.example", "region": "eu-1",
            "objectLock": ["mode": "COMPLIANCE", "days": 30],
        ],
        "eventStream": ["enabled": true], "tls": ["existingSecret": "gate-tls"],
        "oidc": [
            "enabled": true, "issuer": "https://id.example", "audience": "gate", "jwksUri": "https://id.example/keys",
        ],
    ]
    static let monitoring: JSONValue = [
        "serviceMonitor": ["enabled": true, "labels": ["release": "prometheus"]],
        "prometheusRule": ["enabled": true, "labels": ["release": "prometheus"]],
        "grafana": ["enabled": true, "legacyUid": true],
    ]
    static let doors: JSONValue = [
        "ingress": [
            "enabled": true, "className": "nginx", "annotations": ["a": "b"],
            "hosts": [["host": "gate.example"], ["host": "b.example", "paths": ["/v1"]]],
            "tls": [["secretName": "t", "hosts": ["gate.example"]]],
        ],
        "gateway": [
            "enabled": true, "annotations": ["a": "b"], "parentRefs": [["name": "edge", "namespace": "gateways"]],
            "hostnames": ["gate.example"],
        ],
        "service": ["type": "LoadBalancer", "port": 8443, "annotations": ["a": "b"]],
        "trustedProxies": ["10.0.0.0/8", "fd00::/8"], "publicUrl": "https://gate.example",
        "corsAllowOrigins": ["https://console.example"], "networkPolicy": ["apiCIDRs": ["192.0.2.0/24"]],
    ]
    static let pod: JSONValue = [
        "nodeSelector": ["disk": "ssd"], "tolerations": [["key": "gate", "operator": "Exists"]],
        "affinity": ["nodeAffinity": [:]], "priorityClassName": "high",
        "topologySpreadConstraints": [["maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"]],
        "extraEnv": [["name": "LOG_LEVEL", "value": "debug"]],
        "extraVolumes": [
            ["name": "one", "mountPath": "/one", "source": ["configMap": ["name": "one"]]],
            ["name": "two", "mountPath": "/two", "readOnly": false, "source": ["emptyDir": [:]]],
        ],
        "podAnnotations": ["a": "b"], "podLabels": ["team": "platform"], "image": ["digest": .string(digest)],
        "serviceAccount": ["annotations": ["a": "b"], "imagePullSecrets": ["pull"]],
        "persistence": ["storageClass": "fast"],
    ]
    static let bare: JSONValue = [
        "serviceAccount": ["create": false], "rbac": ["create": false], "crds": ["enabled": false],
        "persistence": ["enabled": false], "networkPolicy": ["enabled": false], "auth": ["mode": "disabled"],
        "selfManagement": ["enabled": false],
    ]
    /// One replica whose state is in the database alone.
    static let oneWithoutVolume: JSONValue = [
        "postgresql": ["existingSecret": "p"], "persistence": ["enabled": false],
    ]
    static let ownDeployment: JSONValue = [
        "selfManagement": [
            "deploymentMode": "own", "heal": "dry-run", "scale": ["min": 2, "max": 6],
            "autoscale": ["mode": "rps", "targetRps": 50],
        ],
        "postgresql": ["existingSecret": "p"], "crds": ["keep": false],
    ]
    static let worker: JSONValue = [
        "role": "worker", "postgresql": ["existingSecret": "p"], "persistence": ["existingClaim": "kept"],
        "selfManagement": ["autoscale": ["mode": "off"]], "autoheal": ["enabled": true],
    ]
}
