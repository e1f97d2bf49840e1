// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Synchronization
internal import TestSupport
internal import Testing

/// Three replicas over one database, and what may happen to them.
final class ReplicaModel: Sendable {
    let shared: FakeSharedStore
    private let clock = ManualMonotonicClock()
    private let random: SeededRandom
    private let state: Mutex<[FakeReplica]>

    static let root = TokenCaller(
        principal: AdminCredential(token: Redacted("admin-secret-of-the-model"), isGenerated: false).principal,
        admin: true
    ) { _ in true }
    private static let scope = ProjectScope(tenantID: "acme", subject: "olga")
    private static let projects = ["zeus", "apollo", "hera"]

    init(seed: UInt64) {
        let random = SeededRandom(seed: seed)
        let shared = FakeSharedStore(clock: ManualClock(), random: random)
        self.random = random
        self.shared = shared
        let clock = clock
        state = Mutex((0..<3).map { _ in FakeReplica(shared, clock: clock, random: random) })
    }

    var replicas: [FakeReplica] { state.withLock(\.self) }

    /// One thing happens.
    func step(_ place: String) async {
        let index = random.below(3)
        let replica = replicas[index]
        switch random.below(100) {
        case 0..<30: while await replica.follower.turn() == nil, random.below(4) > 0 {}
        case 30..<40: replica.follower.heard(.notice, from: "test")
        case 40..<44: replica.follower.heard(random.below(2) == 0 ? .up : .down, from: "test")
        case 44..<50: clock.advance(by: .milliseconds(random.below(3000)))
        case 50..<53: shared.clock.advance(seconds: Int64(random.below(400)))
        case 53: try? await shared.prune()
        case 54: shared.restart()
        case 55..<57: restart(index)
        case 57..<60:
            shared.set(.init(unanswered: random.below(3) * 15, unknownOutcomes: random.below(2) * 20))
        default: if replica.hasStarted { await change(replica, index) }
        }
        for replica in replicas { replica.check(place) }
    }

    private func restart(_ index: Int) {
        let replica = FakeReplica(shared, clock: clock, random: random)
        state.withLock { $0[index] = replica }
    }

    /// A change by a replica, while others do something in its midst.
    private func change(_ replica: FakeReplica, _ index: Int) async {
        let others = [replicas[(index + 1) % 3], replicas[(index + 2) % 3]]
        switch random.below(6) {
        case 0: shared.interrupt { _ = await replica.follower.turn() }
        case 1: shared.interrupt { _ = await others[0].follower.turn() }
        case 2: shared.interrupt { [self] in if others[1].hasStarted { await credentials(others[1]) } }
        default: break
        }
        switch random.below(10) {
        case 0..<6: await credentials(replica)
        case 6: roles(replica)
        case 7: await replica.keeper.flush()
        default: await share(replica)
        }
        shared.interrupt {}
    }

    private func credentials(_ replica: FakeReplica) async {
        // What is refused or fails is part of the game: the states are compared in the end.
        let token = pick(replica.tokens.table.newestFirst.map(\.record.identifier))
        let key = pick(replica.keys.table.newestFirst.map(\.record.id))
        switch random.below(9) {
        case 0:
            _ = try? await replica.tokens.create(
                CreateServiceToken(identifier: "t\(random.below(12))"), caller: Self.root)
        case 1:
            guard let token else { return }
            _ = try? await replica.tokens.rotate(
                token, RotateServiceToken(overlapSeconds: Int64(random.below(2) * 300)), caller: Self.root)
        case 2, 3:
            guard let token else { return }
            _ = try? await replica.tokens.revoke(
                token, RevokeServiceToken(reason: "r", family: random.below(2) == 0), caller: Self.root)
        case 4:
            guard let token else { return }
            _ = try? await replica.tokens.updateForObject(
                token, grant: ServiceTokenGrant(scopes: ["s:\(random.below(5))"]), expiresAt: nil)
        case 5: _ = try? await replica.keys.create(CreateAPIKey(name: "n", accountID: "acme"), caller: owner())
        case 6:
            guard let key else { return }
            _ = try? await replica.keys.patch(key, PatchAPIKey(name: "n\(random.below(9))"), caller: Self.root)
        case 7:
            guard let key else { return }
            _ = try? await replica.keys.rotate(key, RotateAPIKey(), caller: Self.root)
        default:
            guard let key else { return }
            _ = try? await replica.keys.revoke(key, RevokeAPIKey(reason: nil), caller: Self.root)
        }
    }

    /// Somebody who owns keys, with whatever roles he has now.
    private func owner() -> TokenCaller {
        let principal = Principal(
            subject: "u\(random.below(3))", identityType: .user, authSource: .jwt,
            roles: ["r\(random.below(4))"])
        return TokenCaller(principal: principal, admin: true) { _ in true }
    }

    private func roles(_ replica: FakeReplica) { replica.keys.table.note(owner().principal) }

    private func share(_ replica: FakeReplica) async {
        let (owner, other) = (Self.projects[random.below(3)], Self.projects[random.below(3)])
        switch random.below(8) {
        case 0, 1: _ = try? await replica.projects.createProject(id: owner, name: owner, scope: Self.scope)
        case 2, 3:
            _ = try? await replica.projects.offer(
                ShareOffer(
                    resourceType: "agent", resourceID: "m1", project: other, terms: ShareTerms(permissions: .read)),
                from: owner, scope: Self.scope)
        case 4: _ = try? await replica.projects.deleteProject(owner, scope: Self.scope)
        default:
            let live = (try? await shared.projects.liveShares(project: owner, tenant: "acme")) ?? []
            guard let share = live.isEmpty ? nil : live[random.below(live.count)] else { return }
            let accepts = share.state == .pending && random.below(3) > 0
            _ = try? await replica.projects.apply(
                accepts ? .accept : .revoke(reason: nil), to: share.id,
                as: accepts ? share.parties.project : owner, scope: Self.scope)
        }
    }

    private func pick(_ names: [String]) -> String? { names.isEmpty ? nil : names[random.below(names.count)] }

    /// Nothing goes wrong any more, and everybody has time.
    func settle() async {
        shared.set(.init())
        shared.interrupt {}
        for _ in 0..<3 {
            for replica in replicas {
                clock.advance(by: .seconds(3))
                while await replica.follower.turn() == nil {}
                await replica.keeper.flush()
            }
        }
        for replica in replicas {
            clock.advance(by: .seconds(3))
            while await replica.follower.turn() == nil {}
        }
    }

    /// Every replica holds what the database does.
    func compare(_ place: String) async throws {
        let tokens = try await shared.tokens.loadServiceTokens()
        let (keys, owners) = try await shared.keys.load()
        let roles = Dictionary(uniqueKeysWithValues: owners.map { ($0.identity, $0.roles) })
        let shares = try await shared.projects.acceptedShares()
        for (index, replica) in replicas.enumerated() {
            let place = "\(place), replica \(index)"
            let held = replica.tokens.table.newestFirst.map(\.record)
            #expect(Self.texts(held.map(\.storedJSON)) == Self.texts(tokens.map(\.storedJSON)), "\(place)")
            for family in Set(tokens.map(\.family)) {
                let members = replica.tokens.table.family(family).map(\.record.identifier)
                #expect(Set(members) == Set(tokens.filter { $0.family == family }.map(\.identifier)), "\(place)")
            }
            let heldKeys = replica.keys.table.newestFirst
            #expect(Self.texts(heldKeys.map(\.record.storedJSON)) == Self.texts(keys.map(\.storedJSON)), "\(place)")
            for entry in heldKeys {
                #expect(entry.principal.roles == roles[entry.record.owner], "\(place): \(entry.record.owner.subject)")
            }
            var expected: [ShareTable.Key: [AcceptedShare]] = [:]
            for share in shares {
                expected[share.parties.key, default: []].append(
                    AcceptedShare(
                        ownerProject: share.parties.ownerProject, permissions: share.terms.permissions,
                        expiresAt: share.terms.expiresAt))
            }
            for project in Self.projects {
                let key = ShareTable.Key(tenant: "acme", type: "agent", id: "m1", project: project)
                #expect(Set(replica.shareTable.shares(key)) == Set(expected[key] ?? []), "\(place): \(project)")
            }
            #expect(replica.tokens.table.isFresh(at: shared.clock.now()), "\(place)")
        }
    }

    private static func texts(_ records: [JSONObject]) -> [String] {
        records.map { JSONValue.object($0).jsonText }.sorted()
    }
}
