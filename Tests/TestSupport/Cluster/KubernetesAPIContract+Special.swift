// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Discovery and what is no ordinary object.
extension KubernetesAPIContract {
    private var deployment: JSONValue {
        object(
            .deployments, "d",
            [
                "spec": [
                    "replicas": 0, "selector": ["matchLabels": ["a": "contract"]],
                    "template": [
                        "metadata": ["labels": ["a": "contract"]],
                        "spec": ["containers": [["name": "c", "image": "none"]]],
                    ],
                ]
            ])
    }

    static let special: [Behaviour] = [
        Behaviour("discovers versions") { test in
            try test.hold(try await test.api.versions(ofGroup: "tollgate.dev") == ["v1alpha1"])
            try test.hold(try await test.api.versions(ofGroup: "policy").contains { $0.hasPrefix("v1") })
            try test.hold(try await test.api.versions(ofGroup: "none.tollgate.dev").isEmpty)
        },
        Behaviour("locks by a lease") { test in
            let made = try await test.create(
                test.object(
                    .leases, "l",
                    [
                        "spec": [
                            "holderIdentity": "one", "leaseDurationSeconds": 15,
                            "acquireTime": "2026-03-01T12:00:00.000000Z", "renewTime": "2026-03-01T12:00:00.000000Z",
                            "leaseTransitions": 0,
                        ]
                    ]), .leases)
            var mine = made
            mine.set("spec", "holderIdentity", to: "two")
            let taken = try await test.api.replace(mine, at: test.reference(.leases, "l"), subresource: nil)
            try test.hold(taken["spec"]?["holderIdentity"] == "two")
            var theirs = made
            theirs.set("spec", "holderIdentity", to: "three")
            _ = try await test.refused(.conflict) { () throws(KubernetesError) in
                _ = try await test.api.replace(theirs, at: test.reference(.leases, "l"), subresource: nil)
            }
            let error = try await test.refused(.invalid) { () throws(KubernetesError) in
                try await test.create(test.object(.leases, "m", ["spec": ["leaseDurationSeconds": 0]]), .leases)
            }
            try test.hold(error.causes.map(\.field) == ["spec.leaseDurationSeconds"], "\(error.causes)")
        },
        Behaviour("records events") { test in
            let about = try await test.create(test.authConfig("a"), .authConfigs)
            let event = test.object(
                .events, "a.1",
                [
                    "eventTime": "2026-03-01T12:00:00.000000Z", "reportingController": "tollgate.dev/controller",
                    "reportingInstance": "contract", "action": "Check", "reason": "Checked", "type": "Normal",
                    "note": "as the contract says",
                    "regarding": [
                        "apiVersion": "tollgate.dev/v1alpha1", "kind": "AuthConfig", "name": "a",
                        "namespace": .string(test.namespace), "uid": about["metadata"]?["uid"] ?? .null,
                    ],
                ])
            let made = try await test.create(event, .events)
            try test.hold(made["note"] == "as the contract says")
            let series = try await test.api.patch(
                test.reference(.events, "a.1"), subresource: nil,
                .merge(["series": ["count": 2, "lastObservedTime": "2026-03-01T12:00:01.000000Z"]]))
            try test.hold(series["series"]?["count"] == 2)
            var bad = event
            bad.set("metadata", "name", to: "a.2")
            bad.set("type", to: "Other")
            _ = try await test.refused(.invalid) { () throws(KubernetesError) in try await test.create(bad, .events) }
        },
        Behaviour("reviews tokens") { test in
            let answer = try await test.api.create(
                [
                    "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                    "spec": ["token": "nobody-has-this-one"],
                ], in: .tokenReviews, namespace: nil, name: nil, subresource: nil)
            try test.hold(answer["status"]?["authenticated"] != true)
            try test.hold(
                answer["status"]?["error"]?.stringValue?.contains("invalid bearer token") == true, "\(answer)")
            _ = try await test.refused(.badRequest) { () throws(KubernetesError) in
                _ = try await test.api.create(
                    ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": [:]], in: .tokenReviews,
                    namespace: nil, name: nil, subresource: nil)
            }
        },
        Behaviour("scales") { test in
            _ = try await test.create(test.deployment, .deployments)
            let target = test.reference(.deployments, "d")
            let before = try await test.api.get(target, subresource: "scale")
            try test.hold(before["kind"] == "Scale" && (before["spec"]?["replicas"]?.intValue ?? 0) == 0, "\(before)")
            let after = try await test.api.patch(target, subresource: "scale", .merge(["spec": ["replicas": 2]]))
            try test.hold(after["spec"]?["replicas"] == 2)
            try test.hold(try await test.api.get(target, subresource: nil)["spec"]?["replicas"] == 2)
            var stale = after
            stale.set("metadata", "resourceVersion", to: "1")
            _ = try await test.refused(.conflict) { () throws(KubernetesError) in
                _ = try await test.api.replace(stale, at: target, subresource: "scale")
            }
        },
        Behaviour("evicts by the version that discovery names") { test in
            let account: JSONValue = test.object(
                APIResource(group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount"), "runner", [:])
            _ = try await test.create(
                account, APIResource(group: "", version: "v1", plural: "serviceaccounts", kind: "ServiceAccount"))
            let pod = test.object(
                .pods, "p",
                [
                    "spec": [
                        "serviceAccountName": "runner", "automountServiceAccountToken": false,
                        "containers": [["name": "c", "image": "none"]],
                    ]
                ])
            _ = try await test.create(pod, .pods)
            let versions = try await test.api.versions(ofGroup: "policy")
            let version = versions.contains("v1") ? "v1" : "v1beta1"
            let eviction = { (name: String) -> JSONValue in
                [
                    "apiVersion": .string("policy/\(version)"), "kind": "Eviction",
                    "metadata": ["name": .string(name), "namespace": .string(test.namespace)],
                ]
            }
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.api.create(
                    eviction("nobody"), in: .pods, namespace: test.namespace, name: "nobody", subresource: "eviction")
            }
            let answer = try await test.api.create(
                eviction("p"), in: .pods, namespace: test.namespace, name: "p", subresource: "eviction")
            try test.hold(answer["status"] == "Success", "\(answer)")
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in _ = try await test.get(.pods, "p") }
        },
    ]
}
