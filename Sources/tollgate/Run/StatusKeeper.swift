// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ManifestFiles
internal import Reconcilers
internal import ResourceModel

/// Keeps the status of objects, and what is remembered of their manifests, in the store.
struct StatusKeeper: ObjectStatusKeeping {
    private let store: any ObjectStatusStore
    private let directory: ManifestDirectory

    init(store: any ObjectStatusStore, directory: ManifestDirectory) {
        self.store = store
        self.directory = directory
    }

    /// What earlier runs kept.
    struct Kept: Sendable {
        var statuses: [ObjectKey: JSONValue]
        var memory: [ObjectKey: ObjectMemory]
    }

    /// Reads what earlier runs kept.
    static func load(_ store: any ObjectStatusStore) async throws -> Kept {
        var statuses: [ObjectKey: JSONValue] = [:]
        var memory: [ObjectKey: ObjectMemory] = [:]
        for record in try await store.loadStatuses() {
            guard let kind = ResourceKind(rawValue: record.kind) else { continue }
            let key = ObjectKey(kind: kind, namespace: record.namespace, name: record.name)
            statuses[key] = record.status["status"]
            if let generation = record.status["generation"]?.intValue,
                let digest = record.status["specDigest"]?.stringValue,
                let firstSeen = record.status["firstSeen"]?.intValue
            {
                memory[key] = ObjectMemory(generation: generation, specDigest: digest, firstSeen: firstSeen)
            }
        }
        return Kept(statuses: statuses, memory: memory)
    }

    func save(_ changes: [ObjectKey: JSONValue?]) async throws {
        let memory = directory.memory()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (key, status) in changes {
                group.addTask {
                    guard let status else {
                        return try await store.removeStatus(
                            kind: key.kind.rawValue, namespace: key.namespace, name: key.name)
                    }
                    var object: JSONObject = ["status": status]
                    if let known = memory[key] {
                        object["generation"] = .int(known.generation)
                        object["specDigest"] = .string(known.specDigest)
                        object["firstSeen"] = .int(known.firstSeen)
                    }
                    try await store.saveStatus(
                        ObjectStatusRecord(
                            kind: key.kind.rawValue, namespace: key.namespace, name: key.name, status: object))
                }
            }
            try await group.waitForAll()
        }
    }
}
