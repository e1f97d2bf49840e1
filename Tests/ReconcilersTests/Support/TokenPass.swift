// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Logging
internal import Reconcilers
internal import ResourceModel
internal import TestSupport

/// Passes of the ServiceToken reconciler over a real registry and real files, with the book that a controller keeps.
struct TokenPass {
    let clock = ManualClock()
    let random = SeededRandom(seed: 5)
    let store = FlakyTokenStore()
    let audit = FakeAuditRecorder()
    let folder: TemporaryDirectory
    var registry: ServiceTokenRegistry
    var book: [ObjectKey: JSONValue] = [:]

    init() throws {
        folder = try TemporaryDirectory()
        registry = Self.registry(store, clock, random)
    }

    private static func registry(
        _ store: any ServiceTokenStore, _ clock: ManualClock, _ random: SeededRandom, isShared: Bool = false
    ) -> ServiceTokenRegistry {
        ServiceTokenRegistry(
            table: ServiceTokenTable(heardAt: clock.now()), store: store, clock: clock, random: random,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), isShared: isShared)
    }

    /// Another replica goes on: it shares the store and has heard of nothing that was written to it.
    mutating func changeLeader() { registry = Self.registry(store, clock, random, isShared: true) }

    /// A registry whose store has lost everything.
    mutating func loseStore() { registry = Self.registry(InMemoryTokenStore(), clock, random) }

    /// One pass; gives the status of the object of that name.
    @discardableResult
    mutating func run(
        _ inputs: [CompilerInput], missing: Set<ObjectKey> = [], name: String = "ci", namespace: String = "default"
    ) async -> ObjectStatus? {
        let reconciler = ServiceTokenReconciler(
            registry: registry, texts: TokenSecretFiles(folder: folder.path("secrets")),
            namespaces: NamespaceRules(platform: ["default"], tenants: ["acme": "acme-corp"]), audit: audit,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        var statuses = await reconciler.reconcile(inputs, earlier: book, missing: missing, now: clock.now())
        let present = Set(inputs.map(\.key))
        book = book.filter { present.contains($0.key) || missing.contains($0.key) || statuses[$0.key] != nil }
        for key in statuses.keys where present.contains(key) {
            statuses[key]?.sumUp()
            guard let status = statuses[key] else { continue }
            var object: JSONObject = [
                "observedGeneration": 1,
                "conditions": status.conditions.json(
                    generation: 1, previous: book[key]?["conditions"], now: clock.now()),
            ]
            for member in status.members.members { object[member.name] = member.value }
            book[key] = .object(object)
        }
        return statuses[ObjectKey(kind: .serviceToken, namespace: namespace, name: name)]
    }

    /// What is done of a revocation before anything else is: nothing here could be asked for a Secret.
    func revokeAtOnce(_ name: String = "ci") async throws {
        let reconciler = ServiceTokenReconciler(
            registry: registry, texts: TokenSecretFiles(folder: "/nowhere"),
            namespaces: NamespaceRules(platform: [], tenants: [:]), audit: audit,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let key = ObjectKey(kind: .serviceToken, namespace: "default", name: name)
        try await reconciler.revokeAtOnce(key, status: book[key] ?? .null, reason: "leaked")
    }

    /// The text that stands in a Secret.
    func text(_ secret: String = "ci-token", key: String = "token", namespace: String = "default") throws -> String? {
        try TokenSecretFiles(folder: folder.path("secrets")).look(
            TokenSecret(namespace: namespace, name: secret, key: key, identifier: "", expiresAt: nil)
        ).text?.revealed
    }

    /// What presenting a text comes to: its status, or `unknown`.
    func presenting(_ text: String?) -> String {
        guard let text, case .wellFormed(_, let id) = TokenText.read(text, prefixes: TokenPrefixes()),
            let record = registry.table.entry(id)?.record, SecretDigest(of: text).matches(record.secretDigest)
        else { return "unknown" }
        return record.status(at: clock.now()).rawValue
    }

    var actions: [String] { audit.entries.durable.map(\.action) }
}
