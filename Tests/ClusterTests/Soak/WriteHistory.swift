// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import Synchronization

/// Every version that objects of the four kinds take, as a watch of the test sees them.
final class WriteHistory: Sendable {
    private struct Trail {
        var name: String
        var statuses: [JSONValue] = []
        var generation: Int64 = 0
        /// Statuses that were written since the mark.
        var writes = 0
        /// Statuses that were what the one before the last was, with the same spec.
        var returns = 0
    }

    private let trails = Mutex<[String: Trail]>([:])

    /// Follows all four kinds until it is cancelled.
    func follow(_ api: HTTPKubernetesAPI) async {
        await withTaskGroup(of: Void.self) { group in
            for kind in ResourceKind.own {
                group.addTask { await self.follow(kind, api) }
            }
        }
    }

    /// Counts anew.
    func mark() {
        trails.withLock { trails in
            for uid in trails.keys {
                trails[uid]?.writes = 0
                trails[uid]?.returns = 0
            }
        }
    }

    /// Objects whose status was written, or swung to and fro, more often than so many steps can explain.
    func complaints(steps: Int) -> [String] {
        trails.withLock { trails in
            trails.values.filter { $0.writes > 8 + 2 * steps || $0.returns > steps }.map {
                "\($0.name): status was written \($0.writes) times in \(steps) steps, \($0.returns) times back to what it was; last:\n"
                    + $0.statuses.map { String(decoding: $0.encoded(), as: UTF8.self) }.joined(separator: "\n")
            }
        }
    }

    /// How many statuses were written since the mark.
    var writes: Int { trails.withLock { $0.values.reduce(0) { $0 + $1.writes } } }

    private func follow(_ kind: ResourceKind, _ api: HTTPKubernetesAPI) async {
        let selection = ObjectSelection(.of(kind))
        while !Task.isCancelled {
            do throws(KubernetesError) {
                let page = try await api.list(ListQuery(selection)) { note($0, kind) }
                let query = WatchQuery(
                    selection, resourceVersion: page.resourceVersion, timeoutSeconds: 600, idleTimeout: .seconds(620))
                try await api.watch(query) { event in
                    switch event {
                    case .added(let document), .modified(let document): note(document, kind)
                    case .deleted(let document): forget(document)
                    case .bookmark: break
                    case .error: return .stop
                    }
                    return .goOn
                }
            } catch {
                // It begins again; a version that was missed is a write that is not counted.
                continue
            }
        }
    }

    private func note(_ document: JSONValue, _ kind: ResourceKind) {
        guard let metadata = document["metadata"], let uid = metadata["uid"]?.stringValue,
            let status = document["status"]
        else { return }
        let generation = metadata["generation"]?.intValue ?? 0
        trails.withLock { trails in
            var trail =
                trails[uid]
                ?? Trail(
                    name:
                        "\(kind.rawValue) \(metadata["namespace"]?.stringValue ?? "")/\(metadata["name"]?.stringValue ?? "")"
                )
            guard trail.statuses.last != status else { return }
            trail.writes += 1
            if trail.generation == generation, trail.statuses.count > 1,
                trail.statuses[trail.statuses.count - 2] == status
            {
                trail.returns += 1
            }
            trail.generation = generation
            trail.statuses = trail.statuses.suffix(3) + [status]
            trails[uid] = trail
        }
    }

    private func forget(_ document: JSONValue) {
        guard let uid = document["metadata"]?["uid"]?.stringValue else { return }
        trails.withLock { $0[uid] = nil }
    }
}
