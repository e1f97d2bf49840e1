// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Lists and watches.
extension KubernetesAPIContract {
    static let reading: [Behaviour] = [
        Behaviour("pages through a list") { test in
            for index in 0..<7 { _ = try await test.create(test.authConfig("a\(index)"), .authConfigs) }
            let selection = ObjectSelection(.authConfigs, namespace: test.namespace)
            let whole = try await test.list(selection)
            try test.hold(whole.pages.count == 1 && whole.items.map(\.objectName) == (0..<7).map { "a\($0)" })
            let paged = try await test.list(selection, limit: 3)
            try test.hold(paged.pages.count == 3 && paged.items == whole.items)
            try test.hold(Set(paged.pages.map(\.resourceVersion)).count == 1, "all pages are of one instant")
            try test.hold(whole.items.allSatisfy { $0["metadata"]?["managedFields"] == nil })
            let none = try await test.list(ObjectSelection(.toolManifests, namespace: test.namespace))
            try test.hold(none.items.isEmpty && none.pages.count == 1 && !none.pages[0].resourceVersion.isEmpty)
        },
        Behaviour("pages show one instant") { test in
            for index in 0..<4 {
                _ = try await test.create(test.configMap("b\(index)", labels: ["x": "1"]), .configMaps)
            }
            let selection = ObjectSelection(.configMaps, namespace: test.namespace, labelSelector: "x=1")
            var names: [String] = []
            let first = try await test.api.list(ListQuery(selection, limit: 2)) { names.append($0.objectName) }
            try await test.api.delete(test.reference(.configMaps, "b3"), DeleteConditions())
            _ = try await test.create(test.configMap("b9", labels: ["x": "1"]), .configMaps)
            let second = try await test.api.list(
                ListQuery(selection, limit: 10, continueToken: first.continueToken)
            ) { names.append($0.objectName) }
            try test.hold(names == ["b0", "b1", "b2", "b3"], "\(names)")
            try test.hold(second.resourceVersion == first.resourceVersion && second.continueToken == nil)
            _ = try await test.refused(.badRequest) { () throws(KubernetesError) in
                _ = try await test.api.list(ListQuery(selection, continueToken: "nonsense")) { _ in }
            }
        },
        Behaviour("selects") { test in
            for (name, labels): (String, JSONObject) in [
                ("a", ["x": "1", "y": "1"]), ("b", ["x": "2"]), ("c", [:]),
            ] { _ = try await test.create(test.configMap(name, labels: labels), .configMaps) }
            for (selector, wanted) in [
                ("x=1", ["a"]), ("x", ["a", "b"]), ("x!=1,x", ["b"]), ("x in (1, 2),!y", ["b"]),
                ("x notin (1),x", ["b"]), ("x==1,y=1", ["a"]),
            ] {
                let found = try await test.list(
                    ObjectSelection(.configMaps, namespace: test.namespace, labelSelector: selector))
                try test.hold(found.items.map(\.objectName) == wanted, selector)
            }
            let one = try await test.list(
                ObjectSelection(.configMaps, namespace: test.namespace, fieldSelector: "metadata.name=b"))
            try test.hold(one.items.map(\.objectName) == ["b"])
            _ = try await test.refused(.badRequest) { () throws(KubernetesError) in
                _ = try await test.api.list(
                    ListQuery(ObjectSelection(.configMaps, namespace: test.namespace, labelSelector: "a b"))
                ) { _ in }
            }
            let everywhere = try await test.list(ObjectSelection(.configMaps, labelSelector: "x=2"))
            try test.hold(everywhere.items.contains { $0["metadata"]?["namespace"]?.stringValue == test.namespace })
        },
        Behaviour("selects by the fields that the definitions name") { test in
            for tenant in ["one", "two"] {
                _ = try await test.create(
                    test.object(.subscriptions, tenant, ["spec": ["tenant": .string(tenant), "plan": "pro"]]),
                    .subscriptions)
            }
            let found = try await test.list(
                ObjectSelection(.subscriptions, namespace: test.namespace, fieldSelector: "spec.tenant=two"))
            try test.hold(found.items.map(\.objectName) == ["two"])
        },
        Behaviour("gives only metadata when asked") { test in
            _ = try await test.create(test.configMap("a", labels: ["only": "me"]), .configMaps)
            let found = try await test.list(
                ObjectSelection(
                    .configMaps, namespace: test.namespace, labelSelector: "only=me", metadataOnly: true))
            try test.hold(found.items.count == 1 && found.items[0]["data"] == nil)
            try test.hold(found.items[0].objectName == "a" && !found.items[0].version.isEmpty)
        },
        Behaviour("tells changes in order") { test in
            let selection = ObjectSelection(.authConfigs, namespace: test.namespace)
            let start = try await test.list(selection).pages[0].resourceVersion
            let made = try await test.create(test.authConfig("a"), .authConfigs)
            let target = test.reference(.authConfigs, "a")
            _ = try await test.api.patch(target, subresource: nil, .merge(["spec": ["mode": "optional"]]))
            _ = try await test.create(test.authConfig("b"), .authConfigs)
            try await test.api.delete(target, DeleteConditions())
            let events = try await test.events(4, selection, from: start)
            try test.hold(
                events.map(\.summary) == ["ADDED a", "MODIFIED a", "ADDED b", "DELETED a"], "\(events.map(\.summary))")
            guard case .deleted(let last) = events[3], case .modified(let changed) = events[1] else { return }
            try test.hold(last["spec"]?["mode"] == "optional" && last.version != changed.version)
            try test.hold(changed["metadata"]?["managedFields"] == nil)
            let rest = try await test.events(3, selection, from: made.version)
            try test.hold(rest.map(\.summary) == ["MODIFIED a", "ADDED b", "DELETED a"], "\(rest.map(\.summary))")
        },
        Behaviour("tells of what comes into a selection and leaves it") { test in
            let selection = ObjectSelection(.configMaps, namespace: test.namespace, labelSelector: "in=yes")
            let start = try await test.list(selection).pages[0].resourceVersion
            _ = try await test.create(test.configMap("a"), .configMaps)
            let target = test.reference(.configMaps, "a")
            for label: JSONValue in ["yes", "no", "yes"] {
                _ = try await test.api.patch(target, subresource: nil, .merge(["metadata": ["labels": ["in": label]]]))
            }
            let events = try await test.events(3, selection, from: start)
            try test.hold(events.map(\.summary) == ["ADDED a", "DELETED a", "ADDED a"], "\(events.map(\.summary))")
        },
        Behaviour("streams a list of the own kinds") { test in
            for index in 0..<3 { _ = try await test.create(test.authConfig("a\(index)"), .authConfigs) }
            let query = WatchQuery(
                ObjectSelection(.authConfigs, namespace: test.namespace), resourceVersion: nil, timeoutSeconds: 60,
                idleTimeout: .seconds(60), sendsInitialEvents: true)
            var names: [String] = []
            var version = ""
            try await test.api.watch(query) { event in
                switch event {
                case .added(let object): names.append(object.objectName)
                case .bookmark(let at, true): version = at
                default: break
                }
                return version.isEmpty ? .goOn : .stop
            }
            try test.hold(names.sorted() == ["a0", "a1", "a2"] && !version.isEmpty, "\(names) \(version)")
            _ = try await test.create(test.authConfig("b"), .authConfigs)
            let next = try await test.events(1, ObjectSelection(.authConfigs, namespace: test.namespace), from: version)
            try test.hold(next.map(\.summary) == ["ADDED b"], "\(next.map(\.summary))")
        },
        Behaviour("says that a version is too old") { test in
            _ = try await test.create(test.authConfig("a"), .authConfigs)
            var told: [WatchEvent] = []
            let query = WatchQuery(
                ObjectSelection(.authConfigs, namespace: test.namespace), resourceVersion: "1", timeoutSeconds: 30,
                idleTimeout: .seconds(60))
            do throws(KubernetesError) {
                try await test.api.watch(query) { event in
                    told.append(event)
                    return .stop
                }
            } catch {
                // As status or as event: both mean the same.
                told = [.error(error)]
            }
            guard case .error(let error) = told.first else {
                throw Broken(description: "no ERROR event but \(told.map(\.summary))")
            }
            try test.hold(error.code == .expired && error.status == 410, "\(error)")
        },
        Behaviour("ends a watch in time") { test in
            var told: [String] = []
            repeat {
                told = []
                let query = WatchQuery(
                    ObjectSelection(.toolManifests, namespace: test.namespace),
                    resourceVersion: try await test.list(ObjectSelection(.toolManifests)).pages[0].resourceVersion,
                    timeoutSeconds: 1, idleTimeout: .seconds(60))
                try await test.api.watch(query) { event in
                    if case .bookmark = event { return .goOn }
                    told.append(event.summary)
                    return .goOn
                }
                // A server that has just begun to keep changes of a kind may know nothing of the moment of the list.
            } while told == ["ERROR expired"]
            try test.hold(told.isEmpty, "\(told)")
        },
    ]
}
