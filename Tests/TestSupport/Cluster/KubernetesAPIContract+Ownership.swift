// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Server-side apply.
extension KubernetesAPIContract {
    private func apply(
        _ document: JSONValue, _ resource: APIResource, _ name: String, subresource: String? = nil, force: Bool = false,
        dryRun: Bool = false
    ) async throws(KubernetesError) -> JSONValue {
        try await api.patch(
            reference(resource, name), subresource: subresource, .apply(document, force: force, dryRun: dryRun))
    }

    private static func condition(_ type: String, _ status: String) -> JSONValue {
        [
            "type": .string(type), "status": .string(status), "reason": "Contract", "message": "",
            "lastTransitionTime": "2026-03-01T12:00:00Z",
        ]
    }

    private func status(_ name: String, _ conditions: [JSONValue]) -> JSONValue {
        object(.authConfigs, name, ["status": ["conditions": .array(conditions), "observedGeneration": 1]])
    }

    static let ownership: [Behaviour] = [
        Behaviour("applies what is not there") { test in
            let made = try await test.apply(test.configMap("a", ["k": "1", "l": "2"]), .configMaps, "a")
            try test.hold(made["data"] == ["k": "1", "l": "2"])
            let again = try await test.apply(test.configMap("a", ["k": "1", "l": "2"]), .configMaps, "a")
            try test.hold(again.version == made.version, "an apply that changes nothing writes nothing")
            let less = try await test.apply(test.configMap("a", ["k": "1"]), .configMaps, "a")
            try test.hold(less["data"] == ["k": "1"], "what is no longer named goes: \(less)")
        },
        Behaviour("leaves the fields of others alone") { test in
            _ = try await test.create(test.configMap("a", ["theirs": "1"]), .configMaps)
            let both = try await test.apply(test.configMap("a", ["ours": "1"]), .configMaps, "a")
            try test.hold(both["data"] == ["theirs": "1", "ours": "1"])
            let conflict = try await test.refused(.conflict) { () throws(KubernetesError) in
                _ = try await test.apply(test.configMap("a", ["ours": "1", "theirs": "2"]), .configMaps, "a")
            }
            try test.hold(conflict.status == 409 && conflict.reason == "Conflict")
            try test.hold(conflict.causes.map(\.field) == [".data.theirs"], "\(conflict.causes)")
            try test.hold(conflict.causes[0].message.hasPrefix("conflict with \""), "\(conflict.causes)")
            let same = try await test.apply(test.configMap("a", ["ours": "1", "theirs": "1"]), .configMaps, "a")
            try test.hold(same["data"] == ["theirs": "1", "ours": "1"], "the same value is shared, no conflict")
            let back = try await test.apply(test.configMap("a", ["ours": "1"]), .configMaps, "a")
            try test.hold(back["data"] == ["theirs": "1", "ours": "1"], "what is shared stays for the others")
        },
        Behaviour("takes fields by force, and tries without writing") { test in
            let made = try await test.create(test.configMap("a", ["k": "1"]), .configMaps)
            let wanted = test.configMap("a", ["k": "2"])
            let tried = try await test.apply(wanted, .configMaps, "a", force: true, dryRun: true)
            try test.hold(tried["data"] == ["k": "2"])
            let unchanged = try await test.get(.configMaps, "a")
            try test.hold(unchanged["data"] == ["k": "1"] && unchanged.version == made.version)
            let forced = try await test.apply(wanted, .configMaps, "a", force: true)
            try test.hold(forced["data"] == ["k": "2"])
            let dry = try await test.apply(test.configMap("b"), .configMaps, "b", dryRun: true)
            try test.hold(dry["data"] == ["k": "v"])
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.get(.configMaps, "b")
            }
        },
        Behaviour("applies status with conditions by type") { test in
            let made = try await test.create(test.authConfig("a"), .authConfigs)
            let first = try await test.apply(
                test.status("a", [condition("Ready", "False"), condition("Invalid", "True")]), .authConfigs, "a",
                subresource: "status", force: true)
            try test.hold(first["status"]?["conditions"]?.arrayValue?.count == 2 && first["spec"] == made["spec"])
            try test.hold(first.generation == made.generation)
            let again = try await test.apply(
                test.status("a", [condition("Ready", "False"), condition("Invalid", "True")]), .authConfigs, "a",
                subresource: "status", force: true)
            try test.hold(again.version == first.version)
            let second = try await test.apply(
                test.status("a", [condition("Ready", "True")]), .authConfigs, "a", subresource: "status", force: true)
            let conditions = second["status"]?["conditions"]?.arrayValue ?? []
            try test.hold(conditions.count == 1 && conditions.first?["status"] == "True", "\(conditions)")
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.apply(
                    test.status("b", [condition("Ready", "True")]), .authConfigs, "b", subresource: "status",
                    force: true)
            }
        },
        Behaviour("keeps the conditions of others") { test in
            _ = try await test.create(test.authConfig("a"), .authConfigs)
            _ = try await test.api.patch(
                test.reference(.authConfigs, "a"), subresource: "status",
                .merge(["status": ["conditions": [condition("Theirs", "True")]]]))
            let both = try await test.apply(
                test.status("a", [condition("Ready", "True")]), .authConfigs, "a", subresource: "status", force: true)
            let types = both["status"]?["conditions"]?.arrayValue?.compactMap { $0["type"]?.stringValue }.sorted()
            try test.hold(types == ["Ready", "Theirs"], "\(types ?? [])")
        },
        Behaviour("refuses an apply that was computed from an old version") { test in
            let made = try await test.apply(test.configMap("a"), .configMaps, "a")
            _ = try await test.api.patch(
                test.reference(.configMaps, "a"), subresource: nil, .merge(["data": ["other": "1"]]))
            var stale = test.configMap("a", ["k": "w"])
            stale.set("metadata", "resourceVersion", to: .string(made.version))
            _ = try await test.refused(.conflict) { () throws(KubernetesError) in
                _ = try await test.apply(stale, .configMaps, "a", force: true)
            }
        },
        Behaviour("carries owners and labels") { test in
            let owner = try await test.create(test.configMap("owner"), .configMaps)
            var owned = test.object(
                .secrets, "owned", ["type": "tollgate.dev/service-token", "stringData": ["token": "text"]],
                labels: ["tollgate.dev/managed": "true"])
            owned.set(
                "metadata", "ownerReferences",
                to: [
                    [
                        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
                        "uid": owner["metadata"]?["uid"] ?? .null, "controller": true, "blockOwnerDeletion": true,
                    ]
                ])
            let made = try await test.create(owned, .secrets)
            try test.hold(made["metadata"]?["ownerReferences"]?.arrayValue?.first?["name"] == "owner")
            try test.hold(made["data"]?["token"] == "dGV4dA==" && made["stringData"] == nil)
        },
    ]
}
