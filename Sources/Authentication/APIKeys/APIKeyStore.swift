// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where API keys, the roles of their owners and what was done with them are kept for good.
package protocol APIKeyStore: Sendable {
    /// Every record, and every owner.
    func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner])

    /// The records that are asked for.
    func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord]

    /// The owners that are asked for; one that is not there is left out.
    func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner]

    /// Makes all changes or none; they are durable when this returns. Cancelling the caller changes nothing.
    ///
    /// - Parameter limit: what is counted in the same transaction, before anything is changed.
    /// - Throws: `limitReached` when the account has as many active keys, `idInUse`, `notFound` or `conflict` for the first change that
    ///   cannot be made, else `unavailable`.
    func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError)

    /// Adds to the use counters; keys that are gone are ignored.
    func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError)

    /// Adds to the counters of requests.
    func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError)

    /// The counters of a key in the hours from the first to before the last, by hour and status.
    func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow]

    /// Removes counters of hours before that one, a bounded number at a time.
    ///
    /// - Returns: whether there may be more.
    func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool

    /// Asks whether the store answers.
    func ping() async throws(APIKeyStoreError)
}

/// One change of the store.
package enum APIKeyChange: Sendable {
    /// A record whose id is new.
    case insert(APIKeyRecord)
    /// Replaces all of a record but its use counters, where the stored revision is the one before, else `conflict`.
    case update(APIKeyRecord)
    /// The roles of an owner, known or new.
    case owner(APIKeyOwner)
}

/// How many keys of an account may be active.
package struct APIKeyLimit: Sendable {
    package let accountID: String
    package let tenantID: String?
    package let limit: Int64
    /// When a key counts as expired.
    package let now: Timestamp

    package init(accountID: String, tenantID: String?, limit: Int64, now: Timestamp) {
        self.accountID = accountID
        self.tenantID = tenantID
        self.limit = limit
        self.now = now
    }
}

/// How many requests a key made in an hour with one outcome.
package struct APIKeyUsageRow: Sendable, Hashable {
    package let id: String
    package let tenantID: String?
    /// Hours since 1970-01-01T00:00:00Z.
    package let hour: Int64
    /// The HTTP status of the decision.
    package let status: Int
    package var requests: Int64

    package init(id: String, tenantID: String?, hour: Int64, status: Int, requests: Int64) {
        self.id = id
        self.tenantID = tenantID
        self.hour = hour
        self.status = status
        self.requests = requests
    }
}

/// Why a store did not do what it was asked.
package struct APIKeyStoreError: Error, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        case idInUse, notFound, conflict, unavailable, corrupt
        /// The account has that many active keys already.
        case limitReached(current: Int64)
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
