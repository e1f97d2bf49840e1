// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Making, replacing, changing and deleting.
extension KubernetesAPIContract {
    static let objects: [Behaviour] = [
        Behaviour("makes an object once") { test in
            let made = try await test.create(test.configMap("a"), .configMaps)
            try test.hold(!made.version.isEmpty && made["metadata"]?["uid"]?.stringValue?.isEmpty == false)
            try test.hold(made["metadata"]?["creationTimestamp"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } != nil)
            try test.hold(try await test.get(.configMaps, "a")["data"] == ["k": "v"])
            let error = try await test.refused(.alreadyExists) { () throws(KubernetesError) in
                try await test.create(test.configMap("a"), .configMaps)
            }
            try test.hold(error.status == 409 && error.reason == "AlreadyExists" && error.message.contains("\"a\""))
        },
        Behaviour("says what is not there") { test in
            let error = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.get(.configMaps, "nobody")
            }
            try test.hold(error.status == 404 && error.reason == "NotFound")
            try test.hold(error.message == "configmaps \"nobody\" not found", error.message)
            let own = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.get(.authConfigs, "nobody")
            }
            try test.hold(own.message == "authconfigs.tollgate.dev \"nobody\" not found", own.message)
            let unknown = APIResource(group: "none.tollgate.dev", version: "v1", plural: "things", kind: "Thing")
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in _ = try await test.get(unknown, "a") }
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.api.create(
                    ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"]], in: .configMaps,
                    namespace: "contract-no-such-namespace", name: nil, subresource: nil)
            }
        },
        Behaviour("names the fields that are wrong") { test in
            let name = try await test.refused(.invalid) { () throws(KubernetesError) in
                try await test.create(test.configMap("A b"), .configMaps)
            }
            try test.hold(name.status == 422 && name.causes.map(\.field) == ["metadata.name"], "\(name.causes)")
            let mode = try await test.refused(.invalid) { () throws(KubernetesError) in
                try await test.create(test.authConfig("a", mode: "open"), .authConfigs)
            }
            try test.hold(mode.causes.contains { $0.field == "spec.mode" }, "\(mode.causes)")
            _ = try await test.refused(.badRequest) { () throws(KubernetesError) in
                try await test.create(test.object(.secrets, "a", [:]), .configMaps)
            }
        },
        Behaviour("fills in the defaults of the own kinds") { test in
            let made = try await test.create(test.authConfig("a"), .authConfigs)
            try test.hold(made["spec"]?["apiKeys"] == true && made["spec"]?["assertion"]?["ttl"] == "30s")
            try test.hold(made["spec"]?["mode"] == nil && made.generation == 1)
        },
        Behaviour("deletes under conditions") { test in
            let made = try await test.create(test.configMap("a"), .configMaps)
            let target = test.reference(.configMaps, "a")
            for conditions in [DeleteConditions(uid: "another"), DeleteConditions(resourceVersion: "1")] {
                let error = try await test.refused(.conflict) { () throws(KubernetesError) in
                    try await test.api.delete(target, conditions)
                }
                try test.hold(
                    error.status == 409 && error.reason == "Conflict" && error.message.contains("precondition"))
            }
            let uid = made["metadata"]?["uid"]?.stringValue
            try await test.api.delete(target, DeleteConditions(uid: uid, resourceVersion: made.version))
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                try await test.api.delete(target, DeleteConditions())
            }
        },
        Behaviour("keeps an object for its finalizers") { test in
            var document = test.authConfig("a")
            document.set("metadata", "finalizers", to: ["tollgate.dev/one"])
            let made = try await test.create(document, .authConfigs)
            let target = test.reference(.authConfigs, "a")
            try await test.api.delete(target, DeleteConditions())
            let marked = try await test.get(.authConfigs, "a")
            try test.hold(marked["metadata"]?["deletionTimestamp"] != nil && marked.generation == made.generation + 1)
            try await test.api.delete(target, DeleteConditions())
            let error = try await test.refused(.invalid) { () throws(KubernetesError) in
                _ = try await test.api.patch(
                    target, subresource: nil,
                    .merge(["metadata": ["finalizers": ["tollgate.dev/one", "tollgate.dev/two"]]]))
            }
            try test.hold(error.causes.contains { $0.field == "metadata.finalizers" }, "\(error.causes)")
            _ = try await test.api.patch(
                target, subresource: nil,
                .json([
                    ["op": "test", "path": "/metadata/finalizers/0", "value": "tollgate.dev/one"],
                    ["op": "remove", "path": "/metadata/finalizers/0"],
                ]))
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.get(.authConfigs, "a")
            }
        },
    ]

    static let writing: [Behaviour] = [
        Behaviour("replaces what nobody changed meanwhile") { test in
            let made = try await test.create(test.configMap("a"), .configMaps)
            var next = made
            next.set("data", "k", to: "w")
            let written = try await test.api.replace(next, at: test.reference(.configMaps, "a"), subresource: nil)
            try test.hold(written["data"] == ["k": "w"] && written.version != made.version)
            let error = try await test.refused(.conflict) { () throws(KubernetesError) in
                _ = try await test.api.replace(next, at: test.reference(.configMaps, "a"), subresource: nil)
            }
            try test.hold(error.status == 409 && error.message.contains("the object has been modified"))
            var own = try await test.create(test.authConfig("a"), .authConfigs)
            own.set("metadata", "resourceVersion", to: nil)
            _ = try await test.refused(.invalid) { () throws(KubernetesError) in
                _ = try await test.api.replace(own, at: test.reference(.authConfigs, "a"), subresource: nil)
            }
            own.set("metadata", "name", to: "b")
            _ = try await test.refused(.badRequest) { () throws(KubernetesError) in
                _ = try await test.api.replace(own, at: test.reference(.authConfigs, "a"), subresource: nil)
            }
        },
        Behaviour("writes nothing when nothing changes") { test in
            let made = try await test.create(test.configMap("a"), .configMaps)
            let merged = try await test.api.patch(
                test.reference(.configMaps, "a"), subresource: nil, .merge(["data": ["k": "v"]]))
            try test.hold(merged.version == made.version)
            let replaced = try await test.api.replace(made, at: test.reference(.configMaps, "a"), subresource: nil)
            try test.hold(replaced.version == made.version)
        },
        Behaviour("merges") { test in
            let made = try await test.create(test.configMap("a", ["k": "1", "l": "2"]), .configMaps)
            let target = test.reference(.configMaps, "a")
            let merged = try await test.api.patch(
                target, subresource: nil, .merge(["data": ["k": nil, "m": "3"], "metadata": ["labels": ["x": "y"]]]))
            try test.hold(merged["data"] == ["l": "2", "m": "3"] && merged["metadata"]?["labels"] == ["x": "y"])
            _ = try await test.refused(.conflict) { () throws(KubernetesError) in
                _ = try await test.api.patch(
                    target, subresource: nil,
                    .merge(["metadata": ["resourceVersion": .string(made.version)], "data": ["z": "z"]]))
            }
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.api.patch(test.reference(.configMaps, "b"), subresource: nil, .merge(["data": [:]]))
            }
        },
        Behaviour("tests before it patches") { test in
            _ = try await test.create(test.configMap("a"), .configMaps)
            let target = test.reference(.configMaps, "a")
            for operations: JSONValue in [
                [
                    ["op": "test", "path": "/data/k", "value": "other"],
                    ["op": "add", "path": "/data/x", "value": "1"],
                ],
                [["op": "remove", "path": "/data/nobody"]],
            ] {
                let error = try await test.refused(.invalid) { () throws(KubernetesError) in
                    _ = try await test.api.patch(target, subresource: nil, .json(operations))
                }
                try test.hold(error.status == 422 && error.reason == "Invalid")
            }
            let patched = try await test.api.patch(
                target, subresource: nil,
                .json([
                    ["op": "test", "path": "/data/k", "value": "v"],
                    ["op": "replace", "path": "/data/k", "value": "w"],
                    ["op": "add", "path": "/metadata/annotations", "value": [:]],
                    ["op": "add", "path": "/metadata/annotations/tollgate.dev~1a", "value": "1"],
                ]))
            try test.hold(patched["data"] == ["k": "w"])
            try test.hold(patched["metadata"]?["annotations"] == ["tollgate.dev/a": "1"])
        },
        Behaviour("keeps spec and status apart") { test in
            var document = test.authConfig("a")
            document.set("status", "linked", to: "9/9")
            let made = try await test.create(document, .authConfigs)
            let target = test.reference(.authConfigs, "a")
            try test.hold(made["status"] == nil && made.generation == 1)
            let status = try await test.api.patch(
                target, subresource: "status", .merge(["spec": ["mode": "disabled"], "status": ["linked": "1/1"]]))
            try test.hold(
                status["status"]?["linked"] == "1/1" && status["spec"]?["mode"] == nil && status.generation == 1)
            let spec = try await test.api.patch(
                target, subresource: nil, .merge(["spec": ["mode": "optional"], "status": ["linked": "2/2"]]))
            try test.hold(
                spec["status"]?["linked"] == "1/1" && spec["spec"]?["mode"] == "optional" && spec.generation == 2)
            let label = try await test.api.patch(target, subresource: nil, .merge(["metadata": ["labels": ["a": "b"]]]))
            try test.hold(label.generation == 2 && label.version != spec.version)
            _ = try await test.refused(.notFound) { () throws(KubernetesError) in
                _ = try await test.api.patch(
                    test.reference(.authConfigs, "b"), subresource: "status", .merge(["status": ["linked": "1/1"]]))
            }
        },
        Behaviour("refuses forbidden changes of the own kinds") { test in
            _ = try await test.create(
                test.object(.serviceTokens, "a", ["spec": ["secretName": "s", "revoked": true]]), .serviceTokens)
            for (change, field): (JSONValue, String) in [
                (["spec": ["secretName": "t"]], "spec.secretName"), (["spec": ["revoked": false]], "revoked"),
            ] {
                let error = try await test.refused(.invalid) { () throws(KubernetesError) in
                    _ = try await test.api.patch(test.reference(.serviceTokens, "a"), subresource: nil, .merge(change))
                }
                try test.hold(error.message.contains(field), error.message)
            }
        },
    ]
}
