// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import Synchronization

/// Follows the objects through a watch of its own and knows when all of them are as they should be.
final class Convergence: Sendable {
    private struct State {
        var good: Set<String> = []
        var writes = 0
        var first: ContinuousClock.Instant?
        var last: ContinuousClock.Instant?
        var complete: ContinuousClock.Instant?
    }

    private let api: HTTPKubernetesAPI
    private let kinds: [ResourceKind]
    private let namespaces: Set<String>
    private let wanted: Int
    private let state = Mutex(State())

    /// - Parameter fleet: of which kinds and in which namespaces.
    init(_ api: HTTPKubernetesAPI, fleet: Fleet, kinds: [ResourceKind]) {
        self.api = api
        self.kinds = kinds
        let items = fleet.items.filter { kinds.contains($0.kind) }
        namespaces = Set(items.map(\.namespace))
        wanted = items.count
    }

    /// How many objects are good, of how many.
    var progress: (good: Int, wanted: Int) { (state.withLock(\.good.count), wanted) }
    /// When all of them were; nil until then.
    var completedAt: ContinuousClock.Instant? { state.withLock(\.complete) }
    /// How many changes of the objects were seen, and in what time.
    var writes: (count: Int, duration: Duration) {
        state.withLock { state in
            guard let first = state.first, let last = state.last else { return (0, .zero) }
            return (state.writes, last - first)
        }
    }

    /// Watches until it is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for kind in kinds { group.addTask { try await self.follow(kind) } }
            try await group.waitForAll()
        }
    }

    private func follow(_ kind: ResourceKind) async throws {
        let selection = ObjectSelection(.of(kind))
        // One watch is long enough for the whole benchmark.
        let query = WatchQuery(
            selection, resourceVersion: try await list(selection, kind), timeoutSeconds: 3600,
            idleTimeout: .seconds(3700))
        do {
            try await api.watch(query) { event in
                switch event {
                case .added(let object), .modified(let object): self.note(object, kind, isWrite: true)
                case .deleted, .error, .bookmark: break
                }
                return .goOn
            }
        } catch {
            guard error.code == .cancelled else { throw error }
        }
    }

    /// What is there now, and from where the watch goes on.
    private func list(_ selection: ObjectSelection, _ kind: ResourceKind) async throws -> String {
        var query = ListQuery(selection)
        while true {
            let page = try await api.list(query) { note($0, kind, isWrite: false) }
            guard let token = page.continueToken else { return page.resourceVersion }
            query.continueToken = token
        }
    }

    private func note(_ object: JSONValue, _ kind: ResourceKind, isWrite: Bool) {
        guard let metadata = object["metadata"], let namespace = metadata["namespace"]?.stringValue,
            namespaces.contains(namespace), let name = metadata["name"]?.stringValue
        else { return }
        let isGood = Self.isGood(object, kind)
        let now = ContinuousClock().now
        state.withLock { state in
            if isGood {
                state.good.insert("\(kind.rawValue)/\(namespace)/\(name)")
            } else {
                state.good.remove("\(kind.rawValue)/\(namespace)/\(name)")
            }
            if isWrite {
                state.writes += 1
                state.first = state.first ?? now
                state.last = now
            }
            if state.complete == nil, state.good.count == wanted { state.complete = now }
        }
    }

    /// Ready; of a tool, for which there is no executable here, accepted and verified.
    private static func isGood(_ object: JSONValue, _ kind: ResourceKind) -> Bool {
        let conditions = object["status"]?["conditions"]?.arrayValue ?? []
        let wanted = kind == .toolManifest ? ["Accepted", "Verified"] : ["Ready"]
        return wanted.allSatisfy { type in
            conditions.contains { $0["type"]?.stringValue == type && $0["status"]?.stringValue == "True" }
        }
    }
}
