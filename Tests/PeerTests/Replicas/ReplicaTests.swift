// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Persistence
internal import TestSupport
internal import Testing

/// Several replicas in this process over one real database.
@Suite(.timeLimit(.minutes(20))) struct ReplicaTests {
    private static let scope = ProjectScope(tenantID: "acme", subject: "olga")

    private static func revoke(_ identifier: String, on replica: Replica) async throws {
        try await replica.tokens.revoke(
            identifier, RevokeServiceToken(reason: "over"), caller: Replica.root)
    }

    @Test func whatOneChangesIsInForceOnAll() async throws {
        let database = try await DatabaseSupport.migrated()
        try await Replica.with(3, url: { _ in database.url }) { replicas in
            let (one, two, three) = (replicas[0], replicas[1], replicas[2])
            _ = try await one.tokens.create(CreateServiceToken(identifier: "a"), caller: Replica.root)
            let next = try await one.tokens.rotate("a", RotateServiceToken(), caller: Replica.root).record
            try await Eventually.holds("the new token everywhere") {
                replicas.allSatisfy { $0.tokens.table.entry(next.identifier) != nil }
            }
            try await two.tokens.revoke("a", RevokeServiceToken(reason: "r", family: true), caller: Replica.root)
            try await Eventually.holds("the revocation everywhere") {
                replicas.allSatisfy { $0.isRevoked("a") == true && $0.isRevoked(next.identifier) == true }
            }
            // A key, and then other roles of its owner, seen by another replica than the one that made it.
            let owner = TokenCaller(
                principal: Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["viewer"]),
                admin: true
            ) { _ in true }
            let key = try await one.keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: owner).record
            try await Eventually.holds("the key everywhere") {
                replicas.allSatisfy { $0.keys.table.entry(key.id)?.principal.roles == ["viewer"] }
            }
            three.keys.table.note(
                Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["editor"]))
            try await Eventually.holds("the owner's roles everywhere") {
                replicas.allSatisfy { $0.keys.table.entry(key.id)?.principal.roles == ["editor"] }
            }
        }
    }

    /// A standby that takes over without the last commits.
    @Test(arguments: [false, true]) func whatTheDatabaseForgotIsWrittenAgain(byReload: Bool) async throws {
        let database = try await DatabaseSupport.migrated()
        let id = try await Replica.with(1, url: { _ in database.url }) { replicas in
            let replica = replicas[0]
            _ = try await replica.tokens.create(CreateServiceToken(identifier: "a"), caller: Replica.root)
            let owner = TokenCaller(
                principal: Principal(subject: "u1", identityType: .user, authSource: .jwt, roles: ["viewer"]),
                admin: true
            ) { _ in true }
            let key = try await replica.keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: owner).record
            for table in ["service_tokens", "api_keys"] {
                try await database.run("CREATE TABLE public.\(table) AS SELECT * FROM tollgate.\(table)")
            }
            try await Self.revoke("a", on: replica)
            _ = try await replica.keys.revoke(key.id, RevokeAPIKey(reason: "over"), caller: Replica.root)
            for (table, name) in [("service_tokens", "identifier"), ("api_keys", "id")] {
                try await database.run(
                    """
                    UPDATE tollgate.\(table) t SET record = k.record, revision = k.revision FROM public.\(table) k
                    WHERE t.\(name) = k.\(name)
                    """)
            }
            if byReload {
                try await replica.tokens.reload()
                try await replica.keys.reload()
            } else {
                try await Self.revoke("a", on: replica)
                _ = try await replica.keys.revoke(key.id, RevokeAPIKey(reason: "over"), caller: Replica.root)
            }
            return key.id
        }
        try await Replica.with(1, url: { _ in database.url }) { replicas in
            #expect(replicas[0].isRevoked("a") == true)
            #expect(replicas[0].keys.table.entry(id)?.record.revokedAt != nil)
        }
    }

    /// One row that cannot be read takes nothing else out of force, whether it is read alone or with all others.
    @Test func whatCannotBeReadIsOutOfForceAlone() async throws {
        let database = try await DatabaseSupport.migrated()
        let ids = try await Replica.with(1, url: { _ in database.url }) { replicas in
            var ids: [String] = []
            for name in ["good", "bad"] {
                _ = try await replicas[0].tokens.create(CreateServiceToken(identifier: name), caller: Replica.root)
                let owner = TokenCaller(
                    principal: Principal(subject: name, identityType: .user, authSource: .jwt, roles: ["viewer"]),
                    admin: true
                ) { _ in true }
                let key = CreateAPIKey(name: name, accountID: name)
                ids.append(try await replicas[0].keys.create(key, caller: owner).record.id)
            }
            return ids
        }
        for change in [
            "UPDATE tollgate.service_tokens SET record = '{}' WHERE identifier = 'bad'",
            "UPDATE tollgate.owner_roles SET roles = 'x' WHERE subject = 'bad'",
        ] { _ = try await database.run(change) }
        try await Replica.with(1, url: { _ in database.url }) { replicas in
            let replica = replicas[0]
            #expect(replica.tokens.table.entry("good") != nil)
            #expect(replica.tokens.table.entry("bad") == nil)
            #expect(ids.map { replica.keys.table.entry($0) != nil } == [true, false])
        }
    }

    @Test func sharesOpenAndCloseOnAll() async throws {
        let database = try await DatabaseSupport.migrated()
        try await Replica.with(2, url: { _ in database.url }) { replicas in
            let (one, two) = (replicas[0].projects, replicas[1].projects)
            for id in ["zeus", "apollo"] { _ = try await one.createProject(id: id, name: id, scope: Self.scope) }
            let offer = ShareOffer(
                resourceType: "agent", resourceID: "m1", project: "apollo", terms: ShareTerms(permissions: .read))
            let key = ShareTable.Key(tenant: "acme", type: "agent", id: "m1", project: "apollo")
            for _ in 0..<3 {
                let share = try await one.offer(offer, from: "zeus", scope: Self.scope).after
                _ = try await two.apply(.accept, to: share.id, as: "apollo", scope: Self.scope)
                try await Eventually.holds("the share on both") {
                    replicas.allSatisfy { !$0.shares.shares(key).isEmpty }
                }
                _ = try await one.apply(.revoke(reason: nil), to: share.id, as: "zeus", scope: Self.scope)
                try await Eventually.holds("the end of the share on both") {
                    replicas.allSatisfy { $0.shares.shares(key).isEmpty }
                }
            }
        }
    }

    /// All change the same few tokens at once; in the end all hold the same, and what is revoked is revoked everywhere.
    @Test func manyChangesAtOnceEndInOneState() async throws {
        let database = try await DatabaseSupport.migrated()
        try await Replica.with(3, url: { _ in database.url }) { replicas in
            for index in 0..<6 {
                _ = try await replicas[0].tokens.create(
                    CreateServiceToken(identifier: "t\(index)"), caller: Replica.root)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, replica) in replicas.enumerated() {
                    group.addTask {
                        let random = SeededRandom(seed: UInt64(number))
                        for _ in 0..<40 {
                            let names = replica.tokens.table.newestFirst.map(\.record.identifier)
                            guard !names.isEmpty else { continue }
                            let name = names[random.below(names.count)]
                            // A refusal is part of the game: another one was faster.
                            switch random.below(4) {
                            case 0:
                                _ = try? await replica.tokens.rotate(name, RotateServiceToken(), caller: Replica.root)
                            case 1: try? await Self.revoke(name, on: replica)
                            default:
                                _ = try? await replica.tokens.updateForObject(
                                    name, grant: ServiceTokenGrant(scopes: ["s:\(random.below(9))"]), expiresAt: nil)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let stored = try await DatabaseSupport.withPool(database.url) {
                try await PostgreSQLServiceTokenStore($0).loadServiceTokens()
            }
            let wanted = Self.texts(stored)
            try await Eventually.holds("one state") {
                replicas.allSatisfy { Self.texts($0.tokens.table.newestFirst.map(\.record)) == wanted }
            }
        }
    }

    private static func texts(_ records: [ServiceTokenRecord]) -> [String] {
        records.map { JSONValue.object($0.storedJSON).jsonText }.sorted()
    }

    /// The listening connection is cut, then nothing passes on it any more: changes come all the same.
    @Test func aCutConnectionDelaysAndLosesNothing() async throws {
        let database = try await DatabaseSupport.migrated()
        try await CuttingProxy.with(to: database.server.port) { proxy in
            let far = database.server.url(user: "gate", database: database.name, port: proxy.port)
            try await Replica.with(2, url: { $0 == 0 ? database.url : far }) { replicas in
                let (near, far) = (replicas[0], replicas[1])
                try await Eventually.holds("the listener") { far.follower.status.signals == ["listen"] }
                for round in 0..<5 {
                    let name = "t\(round)"
                    _ = try await near.tokens.create(CreateServiceToken(identifier: name), caller: Replica.root)
                    try await Eventually.holds("\(name) on the other side") { far.isRevoked(name) == false }
                    proxy.cut()
                    try await Self.revoke(name, on: near)
                    try await Eventually.holds("the revocation of \(name) on the other side") {
                        far.isRevoked(name) == true
                    }
                }
                try await Eventually.holds("the listener again") { far.follower.status.signals == ["listen"] }
            }
        }
    }

    /// The server is away: what is known goes on, nothing is acknowledged, and credentials are refused after 60 s of silence.
    @Test func aServerThatComesBackIsFollowedAgain() async throws {
        try await PostgreSQLServer.with { server in
            let database = try await server.makeDatabase()
            try await DatabaseSupport.migrate(database)
            try await Replica.with(2, url: { _ in database.url }) { replicas in
                let (one, two) = (replicas[0], replicas[1])
                _ = try await one.tokens.create(CreateServiceToken(identifier: "a"), caller: Replica.root)
                try await Eventually.holds("the token on both") { two.isRevoked("a") == false }
                await server.stop()
                let refusal = await #expect(throws: Refusal.self) { try await Self.revoke("a", on: one) }
                #expect(refusal?.code == .authStoreUnavailable)
                #expect(one.isRevoked("a") == false)
                try await Eventually.holds("the fault to be known") { two.follower.status.fault != nil }
                two.clock.advance(seconds: 60)
                #expect(two.tokens.table.isFresh(at: two.clock.now()))
                two.clock.advance(seconds: 1)
                #expect(!two.tokens.table.isFresh(at: two.clock.now()))
                #expect(!two.keys.table.isFresh(at: two.clock.now()))
                try await server.start()
                try await Eventually.holds("both to follow again") {
                    replicas.allSatisfy {
                        $0.follower.status.fault == nil && $0.tokens.table.isFresh(at: $0.clock.now())
                    }
                }
                try await Eventually.holds("the revocation to be taken") {
                    // The pool may still find a connection of before.
                    (try? await Self.revoke("a", on: one)) != nil
                }
                try await Eventually.holds("the revocation on both") { two.isRevoked("a") == true }
            }
        }
    }

    /// A replica that was away for longer than changes are kept reads everything again.
    @Test func aReplicaThatWasAwayForLongReadsEverything() async throws {
        let database = try await DatabaseSupport.migrated()
        try await CuttingProxy.with(to: database.server.port) { proxy in
            let far = database.server.url(user: "gate", database: database.name, port: proxy.port)
            try await Replica.with(2, url: { $0 == 0 ? database.url : far }) { replicas in
                let (near, far) = (replicas[0], replicas[1])
                _ = try await near.tokens.create(CreateServiceToken(identifier: "a"), caller: Replica.root)
                try await Eventually.holds("the token on both") { far.isRevoked("a") == false }
                // More than is read one by one, in one transaction with the revocation's own.
                try await database.run(
                    "INSERT INTO tollgate.changes (kind, key) SELECT 'project', n::text FROM generate_series(1, 6000) n"
                )
                try await Self.revoke("a", on: near)
                try await Eventually.holds("the revocation on the other side") { far.isRevoked("a") == true }
            }
        }
    }
}
