// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel

/// What the API server takes from a client that does nothing but write: the same writes as the daemon's, with as many writers.
struct BareClient: Sendable {
    private static let finalizer = "tollgate.dev/cleanup"
    private static let writersPerKind = 4

    let api: HTTPKubernetesAPI
    let fleet: Fleet
    private let written = Counter()

    init(_ api: HTTPKubernetesAPI, fleet: Fleet) {
        self.api = api
        self.fleet = fleet
    }

    /// Writes each object's finalizer, Secret and status, as far as its kind has them.
    ///
    /// - Returns: how many writes in what time.
    func run() async throws -> (count: Int, duration: Duration) {
        let start = ContinuousClock().now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for kind in ResourceKind.own {
                let items = fleet.items(of: kind)
                group.addTask { try await forEach(items, writers: Self.writersPerKind) { try await write($0) } }
            }
            try await group.waitForAll()
        }
        return (written.value, ContinuousClock().now - start)
    }

    /// Takes the objects away, with their finalizers.
    func cleanUp(writers: Int) async throws {
        let api = api
        try await forEach(fleet.items, writers: writers) { item in
            if item.kind == .serviceToken || item.kind == .subscription {
                _ = try await api.patch(
                    item.reference, subresource: nil, .merge(["metadata": ["finalizers": nil]]))
            }
            try await api.delete(item.reference, DeleteConditions())
        }
    }

    private func write(_ item: Fleet.Item) async throws {
        if item.kind == .serviceToken || item.kind == .subscription {
            try await patch(
                item, nil,
                .json([["op": "add", "path": "/metadata/finalizers", "value": [.string(Self.finalizer)]]]))
        }
        if item.kind == .serviceToken {
            _ = try await api.create(
                [
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": [
                        "name": .string("\(item.name)-token"), "namespace": .string(item.namespace),
                        "labels": ["tollgate.dev/managed": "true"],
                    ], "type": "tollgate.dev/service-token",
                    "data": ["token": .string(String(repeating: "dG9r", count: 20))],
                ], in: .secrets, namespace: item.namespace, name: nil, subresource: nil)
            written.increment()
        }
        try await patch(item, "status", .apply(Self.status(of: item), force: true))
    }

    private func patch(_ item: Fleet.Item, _ subresource: String?, _ patch: PatchBody) async throws {
        _ = try await api.patch(item.reference, subresource: subresource, patch)
        written.increment()
    }

    /// As long as the daemon's.
    private static func status(of item: Fleet.Item) -> JSONValue {
        let conditions = ["Ready", "Accepted", "Known"].map { type -> JSONValue in
            [
                "type": .string(type), "status": "True", "reason": "Measured",
                "message": "as long as what the daemon says of it", "observedGeneration": 1,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            ]
        }
        return [
            "apiVersion": .string(item.kind.apiVersion), "kind": .string(item.kind.rawValue),
            "metadata": ["name": .string(item.name), "namespace": .string(item.namespace)],
            "status": ["observedGeneration": 1, "conditions": .array(conditions)],
        ]
    }
}
