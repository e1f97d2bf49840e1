// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Essentials
package import Healing

/// The stores of one replica.
package struct StoreSet: Sendable {
    package let tokens: any ServiceTokenStore
    package let keys: any APIKeyStore
    package let projects: any ProjectStore
    package let idempotency: (any IdempotencyStore)?
    package let statuses: (any ObjectStatusStore)?
    package let healing: (any HealingBookStore & NoticeOutbox)?

    package init(
        tokens: any ServiceTokenStore, keys: any APIKeyStore, projects: any ProjectStore,
        idempotency: (any IdempotencyStore)? = nil, statuses: (any ObjectStatusStore)? = nil,
        healing: (any HealingBookStore & NoticeOutbox)? = nil
    ) {
        self.tokens = tokens
        self.keys = keys
        self.projects = projects
        self.idempotency = idempotency
        self.statuses = statuses
        self.healing = healing
    }
}

/// Makes databases for the contract.
package protocol StoreHost: Sendable {
    /// Makes an empty database, opens the stores of that many replicas on it, and clears up behind the body. Where only one process may open
    /// the database, all replicas are the same stores.
    func withStores(
        replicas: Int, clock: ManualClock, _ body: @Sendable ([StoreSet]) async throws -> Void
    ) async throws
}

/// What every store must do, whichever database is behind it.
package struct StoreContract: Sendable {
    /// One thing that holds.
    package struct Behaviour: Sendable, CustomStringConvertible {
        package let description: String
        let replicas: Int
        let check: @Sendable (StoreContract) async throws -> Void

        init(
            _ name: String, replicas: Int = 1, _ check: @escaping @Sendable (StoreContract) async throws -> Void
        ) {
            description = name
            self.replicas = replicas
            self.check = check
        }
    }

    /// A store that does not keep the contract.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }

    /// All that concern credentials and projects.
    package static let records: [Behaviour] = serviceTokens + apiKeys + projectChanges + projectLists + projectModel

    /// All of them.
    package static let behaviours: [Behaviour] = records + idempotencyKeys + objectStatuses + healing + races

    let replicas: [StoreSet]
    let clock: ManualClock

    var tokens: any ServiceTokenStore { replicas[0].tokens }
    var keys: any APIKeyStore { replicas[0].keys }
    var projects: any ProjectStore { replicas[0].projects }

    /// Checks one behaviour on a new database.
    package static func check(_ behaviour: Behaviour, on host: any StoreHost) async throws {
        let clock = ManualClock()
        try await host.withStores(replicas: behaviour.replicas, clock: clock) { replicas in
            try await behaviour.check(StoreContract(replicas: replicas, clock: clock))
        }
    }

    // MARK: Means

    func hold(_ condition: Bool, _ what: String = "", line: UInt = #line, file: String = #fileID) throws {
        guard !condition else { return }
        throw Broken(description: "what \(file) says in line \(line) does not hold: \(what)")
    }

    func found<Value>(_ value: Value?, line: UInt = #line, file: String = #fileID) throws -> Value {
        if let value { return value }
        throw Broken(description: "what \(file) looks for in line \(line) is not there")
    }

    /// What a call fails with; nil when it does not.
    func fault(_ call: () async throws -> Void) async -> (any Error)? {
        do {
            try await call()
            return nil
        } catch {
            return error
        }
    }

    func tokenFault(_ call: () async throws -> Void) async -> ServiceTokenStoreError.Code? {
        (await fault(call) as? ServiceTokenStoreError)?.code
    }

    func keyFault(_ call: () async throws -> Void) async -> APIKeyStoreError.Code? {
        (await fault(call) as? APIKeyStoreError)?.code
    }

    func projectFault(_ call: () async throws -> Void) async -> ProjectStoreError.Code? {
        (await fault(call) as? ProjectStoreError)?.code
    }

    /// Runs the body for every number at once and counts what it says yes to.
    func countAtOnce(_ count: Int, _ body: @escaping @Sendable (Int) async -> Bool) async -> Int {
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<count { group.addTask { await body(index) } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
    }
}
