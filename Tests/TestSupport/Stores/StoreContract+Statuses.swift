// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension StoreContract {
    /// What stores of object statuses do.
    package static let objectStatuses: [Behaviour] = [
        Behaviour("statuses: the last one is kept") { try await $0.keepsTheLastStatus() }
    ]

    private func keepsTheLastStatus() async throws {
        let store = try found(replicas[0].statuses)
        var record = ObjectStatusRecord(kind: "AuthConfig", namespace: "a", name: "n", status: ["generation": 1])
        let other = ObjectStatusRecord(kind: "AuthConfig", namespace: "a", name: "m", status: ["ä": "\"quoted\""])
        try await store.saveStatus(record)
        record.status = ["generation": 2]
        try await store.saveStatus(record)
        try await store.saveStatus(other)
        try hold(try await store.loadStatuses() == [other, record])
        try await store.removeStatus(kind: "AuthConfig", namespace: "a", name: "n")
        try await store.removeStatus(kind: "AuthConfig", namespace: "b", name: "m")
        try hold(try await store.loadStatuses() == [other])
    }
}
