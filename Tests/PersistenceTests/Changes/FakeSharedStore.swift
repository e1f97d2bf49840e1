// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Synchronization
internal import TestSupport

/// A database in memory that several replicas write to, with the one property that makes a feed hard: transactions are numbered when they begin
/// and seen when they are committed, in another order.
final class FakeSharedStore: Sendable {
    /// What a test lets go wrong.
    struct Faults {
        /// Parts of 100 of questions that are not answered.
        var unanswered = 0
        /// Parts of 100 of writes that are kept and reported as failed.
        var unknownOutcomes = 0
    }

    private struct Row {
        let transaction: Int
        let change: StoreChange
        let at: Timestamp
    }

    private struct State {
        var nextTransaction = 1
        var running: Set<Int> = []
        var rows: [Row] = []
        var epoch = 1
        var faults = Faults()
        /// Runs between the reading of a question and its answer.
        var betweenReadAndAnswer: (@Sendable () async -> Void)?
    }

    /// How long changes are kept, in seconds.
    static let keptSeconds: Int64 = 600
    let tokens = InMemoryTokenStore()
    let keys = InMemoryAPIKeyStore()
    let projects = InMemoryProjectStore()
    let policies = InMemoryPolicyDocumentStore()
    let clock: ManualClock
    private let random: SeededRandom
    private let state = Mutex(State())

    init(clock: ManualClock, random: SeededRandom) {
        self.clock = clock
        self.random = random
    }

    func set(_ faults: Faults) { state.withLock { $0.faults = faults } }

    /// Runs the body between the next reading and its answer, once.
    func interrupt(_ body: @escaping @Sendable () async -> Void) { state.withLock { $0.betweenReadAndAnswer = body } }

    /// The server is started again: transactions under way are gone, and positions are of another life.
    func restart() { state.withLock { $0.epoch += 1 } }

    func begin() -> Int {
        state.withLock { state in
            defer { state.nextTransaction += 1 }
            state.running.insert(state.nextTransaction)
            return state.nextTransaction
        }
    }

    /// Makes what the body writes and its announcements visible at once. The announcements may be rolled back to nothing.
    func commit(_ transaction: Int, _ changes: [StoreChange]) {
        state.withLock { state in
            state.running.remove(transaction)
            state.rows += changes.map { Row(transaction: transaction, change: $0, at: clock.now()) }
        }
    }

    func draw(_ parts: Int) -> Bool { random.below(100) < parts }

    var faults: Faults { state.withLock(\.faults) }

    func readDone() async {
        let body = state.withLock { state in
            defer { state.betweenReadAndAnswer = nil }
            return state.betweenReadAndAnswer
        }
        await body?()
    }

    private func snapshot(_ state: borrowing State) -> ChangePosition {
        let running = state.running.sorted().map(String.init).joined(separator: ",")
        return ChangePosition("\(state.epoch);\(state.nextTransaction);\(clock.now().seconds);\(running)")
    }
}

extension FakeSharedStore: ChangeFeed {
    func position() async throws(ChangeFeedError) -> ChangePosition {
        try answer()
        return state.withLock { snapshot($0) }
    }

    func changes(since position: ChangePosition) async throws(ChangeFeedError) -> ChangeReport {
        try answer()
        let parts = position.text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 4, let epoch = Int(parts[0]), let next = Int(parts[1]), let at = Int64(parts[2]) else {
            throw ChangeFeedError(.unreadable, position.text)
        }
        let running = Set(parts[3].split(separator: ",").compactMap { Int($0) })
        return state.withLock { state in
            guard epoch == state.epoch else { return .lost(.restarted) }
            guard clock.now().seconds - at <= Self.keptSeconds / 2 else { return .lost(.pruned) }
            let new = state.rows.filter { $0.transaction >= next || running.contains($0.transaction) }
            var named: Set<StoreChange> = []
            let changes = new.map(\.change).filter { named.insert($0).inserted }
            if changes.count > 40 { return .lost(.tooMany) }
            return .changed(changes, next: snapshot(state), lag: .zero)
        }
    }

    func prune() async throws(ChangeFeedError) {
        let limit = clock.now().adding(seconds: -Self.keptSeconds)
        state.withLock { state in state.rows.removeAll { $0.at < limit } }
    }

    private func answer() throws(ChangeFeedError) {
        if draw(faults.unanswered) { throw ChangeFeedError(.unavailable, "no answer") }
    }
}

/// Service tokens in that database, as one replica sees it.
struct SharedTokens: ServiceTokenStore {
    let shared: FakeSharedStore

    func serviceTokens(
        _ selection: CredentialSelection
    ) async throws(ServiceTokenStoreError) -> [ServiceTokenRecord] {
        if shared.draw(shared.faults.unanswered) { throw ServiceTokenStoreError(.unavailable, "no answer") }
        let found = try await shared.tokens.serviceTokens(selection)
        await shared.readDone()
        return found
    }

    func write(_ changes: [ServiceTokenChange]) async throws(ServiceTokenStoreError) {
        if shared.draw(shared.faults.unanswered) { throw ServiceTokenStoreError(.unavailable, "no answer") }
        let transaction = shared.begin()
        await shared.readDone()
        do throws(ServiceTokenStoreError) {
            try await shared.tokens.write(changes)
        } catch {
            shared.commit(transaction, [])
            throw error
        }
        shared.commit(
            transaction,
            changes.map { change in
                switch change {
                case .insert(let record), .update(let record): StoreChange(.serviceToken, record.identifier)
                }
            })
        if shared.draw(shared.faults.unknownOutcomes) { throw ServiceTokenStoreError(.unavailable, "who knows") }
    }

    func addUses(_ uses: [CredentialUse]) async throws(ServiceTokenStoreError) { try await shared.tokens.addUses(uses) }

    func ping() async throws(ServiceTokenStoreError) {}
}

/// API keys in that database, as one replica sees it.
struct SharedKeys: APIKeyStore {
    let shared: FakeSharedStore

    private func answer() throws(APIKeyStoreError) {
        if shared.draw(shared.faults.unanswered) { throw APIKeyStoreError(.unavailable, "no answer") }
    }

    func load() async throws(APIKeyStoreError) -> (records: [APIKeyRecord], owners: [APIKeyOwner]) {
        try answer()
        let found = try await shared.keys.load()
        await shared.readDone()
        return found
    }

    func records(_ selection: CredentialSelection) async throws(APIKeyStoreError) -> [APIKeyRecord] {
        try answer()
        let found = try await shared.keys.records(selection)
        await shared.readDone()
        return found
    }

    func owners(_ identities: [APIKeyOwner.Identity]) async throws(APIKeyStoreError) -> [APIKeyOwner] {
        try answer()
        let found = try await shared.keys.owners(identities)
        await shared.readDone()
        return found
    }

    func write(_ changes: [APIKeyChange], limit: APIKeyLimit?) async throws(APIKeyStoreError) {
        try answer()
        let transaction = shared.begin()
        await shared.readDone()
        do throws(APIKeyStoreError) {
            try await shared.keys.write(changes, limit: limit)
        } catch {
            shared.commit(transaction, [])
            throw error
        }
        shared.commit(
            transaction,
            changes.map { change in
                switch change {
                case .insert(let record), .update(let record): StoreChange(.apiKey, record.id)
                case .owner(let owner): StoreChange(.apiKeyOwner, owner.identity.changeKey)
                }
            })
        if shared.draw(shared.faults.unknownOutcomes) { throw APIKeyStoreError(.unavailable, "who knows") }
    }

    func addUses(_ uses: [CredentialUse]) async throws(APIKeyStoreError) {}
    func addUsage(_ rows: [APIKeyUsageRow]) async throws(APIKeyStoreError) {}
    func usage(of id: String, hours: Range<Int64>) async throws(APIKeyStoreError) -> [APIKeyUsageRow] { [] }
    func forgetUsage(before hour: Int64) async throws(APIKeyStoreError) -> Bool { false }
    func ping() async throws(APIKeyStoreError) {}
}
