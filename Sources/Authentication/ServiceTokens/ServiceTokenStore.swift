// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where service tokens are kept for good.
package protocol ServiceTokenStore: Sendable {
    /// The records that are asked for.
    func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord]

    /// Makes all changes or none; they are durable when this returns. Cancelling the caller changes nothing.
    ///
    /// - Throws: `identifierInUse`, `notFound` or `conflict` for the first change that cannot be made, else `unavailable`.
    func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError)

    /// Adds to the use counters; tokens that are gone are ignored.
    func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError)

    /// Asks whether the store answers.
    func ping() async throws(ServiceTokenStoreError)
}

extension ServiceTokenStore {
    /// Every record.
    package func loadServiceTokens() async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] {
        try await serviceTokens(.all)
    }
}

/// One change of the store.
package enum ServiceTokenChange: Sendable {
    /// A record whose identifier is new.
    case insert(ServiceTokenRecord)
    /// Replaces all of a record but its use counters, where the stored revision is the one before, else `conflict`.
    case update(ServiceTokenRecord)
}

/// Why a store did not do what it was asked.
package struct ServiceTokenStoreError: Error, CustomStringConvertible {
    package enum Code: String, Sendable {
        case identifierInUse, notFound, conflict, unavailable, corrupt
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
