// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The container that `tollgate inject` adds to a pod, and the volumes that go with it.
struct SidecarContainer {
    /// The names of what is added: what has one of them is replaced.
    static let name = "tollgate"
    static let tokenVolume = "tollgate-token"
    static let dataVolume = "tollgate-data"
    static let authorityVolume = "tollgate-ca"
    static let temporaryVolume = "tollgate-tmp"

    /// What the kubelet is told to make tokens for.
    static let audience = "tollgate"

    var authConfig: String
    var upstream: String
    var image: String
    /// Where the containers of the pod ask.
    var port: Int
    /// Where the kubelet asks, at the pod's address.
    var probePort: Int
    /// A ConfigMap with the authorities of the operator under `ca.crt`; nil = those of the image.
    var authorities: String?
    /// A Secret with a service token under `token`; nil = a token of the pod's service account.
    var tokenSecret: String?

    /// The container: native, so that it is there before the others and ends after them, also in Jobs.
    var container: JSONValue {
        var mounts: [JSONValue] = [
            ["name": .string(Self.dataVolume), "mountPath": "/var/lib/tollgate"],
            ["name": .string(Self.temporaryVolume), "mountPath": "/tmp"],
            ["name": .string(Self.tokenVolume), "mountPath": "/var/run/secrets/tollgate", "readOnly": true],
        ]
        if authorities != nil {
            mounts.append(["name": .string(Self.authorityVolume), "mountPath": "/etc/tollgate/ca", "readOnly": true])
        }
        return [
            "name": .string(Self.name), "image": .string(image), "restartPolicy": "Always", "args": ["run"],
            "env": .array(environment), "ports": [["name": "tollgate-probe", "containerPort": .int(Int64(probePort))]],
            "startupProbe": probe("/livez", period: 2, failures: 60),
            "livenessProbe": probe("/livez", period: 10, failures: 6),
            "readinessProbe": probe("/readyz", period: 5, failures: 2),
            "resources": [
                "requests": ["cpu": "50m", "memory": "64Mi"], "limits": ["cpu": "500m", "memory": "128Mi"],
            ],
            "securityContext": [
                "allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                "capabilities": ["drop": ["ALL"]], "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "volumeMounts": .array(mounts),
        ]
    }

    private var environment: [JSONValue] {
        var values: [(String, JSONValue)] = [
            ("TOLLGATE_UPSTREAM", .string(upstream)), ("TOLLGATE_SIDECAR_AUTH_CONFIG", .string(authConfig)),
            ("TOLLGATE_SIDECAR_CACHE", "/var/lib/tollgate/snapshot"),
            ("TOLLGATE_DATA_DIR", "/var/lib/tollgate"), ("TOLLGATE_LISTEN", .string("127.0.0.1:\(port)")),
            ("TOLLGATE_PROBE_LISTEN", .string("0.0.0.0:\(probePort)")),
            ("TOLLGATE_TRUSTED_PROXIES", "127.0.0.1/32,::1/128"), ("TOLLGATE_LOG_FORMAT", "json"),
        ]
        if authorities != nil { values.append(("TOLLGATE_UPSTREAM_CA_FILE", "/etc/tollgate/ca/ca.crt")) }
        return values.map { ["name": .string($0.0), "value": $0.1] }
    }

    private func probe(_ path: String, period: Int64, failures: Int64) -> JSONValue {
        [
            "httpGet": ["path": .string(path), "port": .int(Int64(probePort))], "periodSeconds": .int(period),
            "failureThreshold": .int(failures),
        ]
    }

    /// What the container mounts.
    var volumes: [JSONValue] {
        var volumes: [JSONValue] = [
            ["name": .string(Self.dataVolume), "emptyDir": ["sizeLimit": "1Gi"]],
            ["name": .string(Self.temporaryVolume), "emptyDir": ["sizeLimit": "64Mi"]],
        ]
        // Either way a file that the kubelet renews.
        let source: JSONValue =
            if let tokenSecret {
                ["secret": ["name": .string(tokenSecret), "items": [["key": "token", "path": "token"]]]]
            } else {
                [
                    "serviceAccountToken": [
                        "audience": .string(Self.audience), "expirationSeconds": 3600, "path": "token",
                    ]
                ]
            }
        volumes.append(["name": .string(Self.tokenVolume), "projected": ["sources": [source]]])
        if let authorities {
            volumes.append(["name": .string(Self.authorityVolume), "configMap": ["name": .string(authorities)]])
        }
        return volumes
    }
}
