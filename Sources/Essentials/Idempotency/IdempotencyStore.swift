// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Answers kept under idempotency keys for 24 h. Secrets never come here: whoever stores an answer has blanked them.
package protocol IdempotencyStore: Sendable {
    /// Reserves a key for a caller, or says what became of its first use. Cancelling the caller changes nothing.
    ///
    /// - Parameter digest: of the route and body.
    /// - Throws: `auth.store_unavailable`; `request.idempotency_mismatch` while the first use is still running.
    func begin(key: String, caller: IdempotencyCaller, digest: String) async throws(Refusal) -> IdempotencyState

    /// Keeps the answer. Where the key was taken over and answered meanwhile, the first answer stays.
    ///
    /// - Throws: `auth.store_unavailable`.
    func finish(key: String, caller: IdempotencyCaller, digest: String, answer: StoredAnswer) async throws(Refusal)

    /// Gives an own reservation up, so that the next try runs.
    func abandon(key: String, caller: IdempotencyCaller) async
}

/// Whose idempotency key it is. Two that differ in anything never see each other's answers.
package struct IdempotencyCaller: Sendable, Hashable {
    /// Nil = a caller without a tenant.
    package let tenantID: String?
    /// The id of the credential, or the subject where there is none.
    package let name: String

    package init(tenantID: String?, name: String) {
        self.tenantID = tenantID
        self.name = name
    }
}

/// What is known of an idempotency key.
package enum IdempotencyState: Sendable, Hashable {
    /// It is reserved now.
    case new
    case answered(StoredAnswer)
    /// The key was used with another body.
    case mismatch
}

/// An answer as it is kept.
package struct StoredAnswer: Sendable, Hashable {
    package var status: Int
    package var body: [UInt8]
    /// Header fields that belong to it, as JSON: a list of lists of name and value; empty where there are none.
    package var fields: String

    package init(status: Int, body: [UInt8], fields: String = "") {
        self.status = status
        self.body = body
        self.fields = fields
    }
}
