// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What the server and its admission add to a Pod, and what a template therefore does not say.
///
/// Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
enum PodDefaults {
    private static let ofPod: [(name: String, value: JSONValue)] = [
        ("dnsPolicy", "ClusterFirst"), ("restartPolicy", "Always"), ("schedulerName", "default-scheduler"),
        ("terminationGracePeriodSeconds", 30), ("securityContext", [:]), ("enableServiceLinks", true),
        ("preemptionPolicy", "PreemptLowerPriority"), ("serviceAccountName", "default"),
    ]
    private static let ofContainer: [(name: String, value: JSONValue)] = [
        ("terminationMessagePath", "/dev/termination-log"), ("terminationMessagePolicy", "File"), ("resources", [:]),
    ]
    /// Where the token of the service account is put.
    private static let tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let injectedTolerations: Set<String> = [
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
    ]

    static func removed(from spec: JSONObject) -> JSONObject {
        var spec = spec
        for name in ["nodeName", "priority", "serviceAccount", "ephemeralContainers", "hostname"] { spec[name] = nil }
        for (name, value) in ofPod where spec[name] == value { spec[name] = nil }
        let tokens = tokenVolumes(of: spec)
        spec["volumes"] = kept(spec["volumes"]) { !tokens.contains($0["name"]?.stringValue ?? "") }
        spec["tolerations"] = kept(spec["tolerations"]) { toleration in
            !(injectedTolerations.contains(toleration["key"]?.stringValue ?? "")
                && toleration["tolerationSeconds"] == 300 && toleration["operator"] == "Exists")
        }
        for list in ["containers", "initContainers"] {
            guard let containers = spec[list]?.arrayValue else { continue }
            spec[list] = .array(containers.map { container($0, without: tokens) })
        }
        return spec
    }

    /// The volumes that admission adds for the token: `kube-api-access-…`, on older servers `<account>-token-…`.
    private static func tokenVolumes(of spec: JSONObject) -> Set<String> {
        // Who wants none of it and mounts something there has written it.
        guard spec["automountServiceAccountToken"] != false else { return [] }
        var names: Set<String> = []
        for list in ["containers", "initContainers"] {
            for container in spec[list]?.arrayValue ?? [] {
                for mount in container["volumeMounts"]?.arrayValue ?? [] where mount["mountPath"] == .string(tokenPath)
                {
                    if let name = mount["name"]?.stringValue { names.insert(name) }
                }
            }
        }
        return names
    }

    private static func container(_ container: JSONValue, without tokens: Set<String>) -> JSONValue {
        guard var object = container.objectValue else { return container }
        for (name, value) in ofContainer where object[name] == value { object[name] = nil }
        object["volumeMounts"] = kept(object["volumeMounts"]) {
            !tokens.contains($0["name"]?.stringValue ?? "")
        }
        return .object(object)
    }

    /// The elements that stay; nil when none does.
    private static func kept(_ list: JSONValue?, _ stays: (JSONValue) -> Bool) -> JSONValue? {
        guard let elements = list?.arrayValue?.filter(stays), !elements.isEmpty else { return nil }
        return .array(elements)
    }
}
