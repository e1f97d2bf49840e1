// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The status of objects that live in files, kept where the files need not be written.
package protocol ObjectStatusStore: Sendable {
    /// Every status.
    func loadStatuses() async throws -> [ObjectStatusRecord]

    /// Replaces the status of an object; it is durable when this returns.
    func saveStatus(_ record: ObjectStatusRecord) async throws

    /// Forgets the status of an object that is gone.
    func removeStatus(kind: String, namespace: String, name: String) async throws
}

/// The status of one object.
package struct ObjectStatusRecord: Sendable, Hashable {
    package var kind: String
    package var namespace: String
    package var name: String
    package var status: JSONObject

    package init(kind: String, namespace: String, name: String, status: JSONObject) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.status = status
    }
}
