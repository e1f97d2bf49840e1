// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials

extension StoreContract {
    /// What holds when several replicas write to one database at once.
    package static let races: [Behaviour] = [
        Behaviour("races: one identifier, two replicas", replicas: 2) { try await $0.oneIdentifierTwoReplicas() },
        Behaviour("races: eight writers at a key limit", replicas: 8) { try await $0.eightWritersAtALimit() },
        Behaviour("races: key limits of many accounts at once", replicas: 4) { try await $0.limitsOfManyAccounts() },
        Behaviour("races: a share offered twice", replicas: 2) { try await $0.aShareOfferedTwice() },
        Behaviour("races: a project goes while it is shared", replicas: 2) { try await $0.aProjectGoes() },
        Behaviour("races: one idempotency key, two replicas", replicas: 2) { try await $0.oneKeyTwoReplicas() },
        Behaviour("races: a dead replica's reservation ends", replicas: 2) { try await $0.aDeadReservationEnds() },
        Behaviour("races: revoked and rotated at once", replicas: 2) { try await $0.revokedAndRotated() },
        Behaviour("races: crossing writes get through", replicas: 2) { try await $0.crossingWrites() },
        Behaviour("races: uses of all replicas add up", replicas: 4) { try await $0.usesAddUp() },
        Behaviour("races: what one wrote the other reads", replicas: 2) { try await $0.othersRead() },
    ]

    private func oneIdentifierTwoReplicas() async throws {
        let good = await countAtOnce(100) { index in
            await tokenFault {
                try await replicas[index % 2].tokens.write([.insert(StoreRecords.token("t\(index / 2)"))])
            } == nil
        }
        try hold(good == 50, "\(good)")
        let keys = await countAtOnce(100) { index in
            let record = StoreRecords.key("k\(index / 2)", account: "a\(index % 2)")
            return await keyFault { try await replicas[index % 2].keys.write([.insert(record)], limit: nil) } == nil
        }
        try hold(keys == 50, "\(keys)")
        let projects = await countAtOnce(100) { index in
            let project = StoreRecords.project("p\(index / 2)")
            return await projectFault { try await replicas[index % 2].projects.write([.insertProject(project)]) } == nil
        }
        try hold(projects == 50, "\(projects)")
        try await invariants.check(replicas[0])
    }

    private func eightWritersAtALimit() async throws {
        let good = await countAtOnce(80) { index in
            await keyFault {
                try await replicas[index % 8].keys.write(
                    [.insert(StoreRecords.key("k\(index)"))], limit: Self.limit(10))
            } == nil
        }
        try hold(good == 10, "\(good)")
        try await StoreInvariants(clock: clock, keyLimits: ["acme": 10]).check(replicas[3])
    }

    /// Batches of several replicas take the accounts' locks in whatever order the writes came.
    private func limitsOfManyAccounts() async throws {
        let good = await countAtOnce(160) { index in
            let account = "a\((index &* 7) % 5)"
            return await keyFault {
                try await replicas[index % 4].keys.write(
                    [.insert(StoreRecords.key("k\(index)", account: account))],
                    limit: Self.limit(3, account: account))
            } == nil
        }
        try hold(good == 15, "\(good)")
        let limits = Dictionary(uniqueKeysWithValues: (0..<5).map { ("a\($0)", Int64(3)) })
        try await StoreInvariants(clock: clock, keyLimits: limits).check(replicas[0])
    }

    private func aShareOfferedTwice() async throws {
        try await fill()
        for round in 0..<10 {
            let resource = "m\(round)"
            let good = await countAtOnce(8) { index in
                let share = StoreRecords.share("s\(round)-\(index)", resource)
                return await projectFault { try await replicas[index % 2].projects.write([.insertShare(share)]) } == nil
            }
            try hold(good == 1, "\(good)")
        }
        try await invariants.check(replicas[1])
    }

    /// Either the share was there first and the project stays, or the project is gone and nothing was shared.
    private func aProjectGoes() async throws {
        for round in 0..<10 {
            let name = "gone\(round)"
            try await projects.write([
                .insertProject(StoreRecords.project(name)), .insertProject(StoreRecords.project("to\(round)")),
            ])
            let done = await countAtOnce(2) { index in
                let share = StoreRecords.share("s\(round)", from: name, to: "to\(round)")
                let change: ProjectChange =
                    index == 0 ? .insertShare(share) : .deleteProject(id: name, tenant: "acme")
                return await projectFault { try await replicas[index].projects.write([change]) } == nil
            }
            try hold(done == 1, "round \(round): \(done)")
            let isThere = try await projects.project(name, tenant: "acme") != nil
            let isShared = try await projects.share("s\(round)", tenant: "acme") != nil
            try hold(isThere == isShared, "round \(round)")
        }
        try await invariants.check(replicas[0])
    }

    private func oneKeyTwoReplicas() async throws {
        for round in 0..<10 {
            let begun = await countAtOnce(8) { index in
                do {
                    let store = try idempotency(index % 2)
                    return try await store.begin(key: "k\(round)", caller: Self.caller, digest: "d") == .new
                } catch {
                    // Whoever is not first is refused while the first runs.
                    return false
                }
            }
            try hold(begun == 1, "round \(round): \(begun)")
            let answer = StoredAnswer(status: 200, body: [UInt8(round)])
            try await idempotency(round % 2).finish(key: "k\(round)", caller: Self.caller, digest: "d", answer: answer)
            for replica in 0..<2 {
                let again = try await idempotency(replica).begin(key: "k\(round)", caller: Self.caller, digest: "d")
                try hold(again == .answered(answer))
            }
        }
    }

    private func aDeadReservationEnds() async throws {
        let (dead, living) = (try idempotency(0), try idempotency(1))
        try hold(try await dead.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        clock.advance(seconds: 59)
        try hold(await fault { _ = try await living.begin(key: "k", caller: Self.caller, digest: "d") } is Refusal)
        clock.advance(seconds: 1)
        let taken = await countAtOnce(8) { _ in
            await fault { _ = try await living.begin(key: "k", caller: Self.caller, digest: "d") } == nil
        }
        try hold(taken == 1, "\(taken)")
    }

    /// Whichever comes first, the other learns of it: a revoked token has no successor that nobody revoked.
    private func revokedAndRotated() async throws {
        for round in 0..<20 {
            let old = StoreRecords.token("t\(round)", family: "f\(round)")
            try await tokens.write([.insert(old)])
            let done = await countAtOnce(2) { index in
                let changes: [ServiceTokenChange] =
                    index == 0
                    ? [.update(StoreRecords.revised(old) { $0.revokedAt = StoreRecords.start })]
                    : [
                        .insert(StoreRecords.token("n\(round)", family: "f\(round)")),
                        .update(StoreRecords.revised(old) { $0.rotatedTo = "n\(round)" }),
                    ]
                return await tokenFault { try await replicas[index].tokens.write(changes) } == nil
            }
            try hold(done == 1, "round \(round): \(done)")
            let family = try await tokens.serviceTokens(.family("f\(round)"))
            let isRevoked = family.contains { $0.revokedAt != nil }
            try hold(family.count == (isRevoked ? 1 : 2), "round \(round)")
        }
        try await invariants.check(replicas[1])
    }

    /// Two writes that take the same records in opposite order wait for each other; both are told what became of them.
    private func crossingWrites() async throws {
        let records = (0..<2).map { StoreRecords.token("t\($0)") }
        try await tokens.write(records.map { .insert($0) })
        for round in 0..<20 {
            let present = try await tokens.serviceTokens(.identifiers(["t0", "t1"])).sorted {
                $0.identifier < $1.identifier
            }
            let done = await countAtOnce(2) { index in
                let order = index == 0 ? present : present.reversed()
                let changes = order.map { ServiceTokenChange.update(StoreRecords.revised($0)) }
                return await tokenFault { try await replicas[index].tokens.write(changes) } == nil
            }
            try hold(done == 1, "round \(round): \(done)")
        }
        try hold(try await tokens.loadServiceTokens().map(\.revision) == [21, 21])
    }

    private func usesAddUp() async throws {
        try await tokens.write((0..<3).map { .insert(StoreRecords.token("t\($0)")) })
        let done = await countAtOnce(80) { index in
            let at = StoreRecords.start.adding(seconds: Int64(index))
            let uses = (0..<3).map {
                CredentialUse(identifier: "t\(($0 + index) % 3)", count: 1, lastUsedAt: at)
            }
            return await tokenFault { try await replicas[index % 4].tokens.addUses(uses) } == nil
        }
        try hold(done == 80, "\(done)")
        let all = try await tokens.loadServiceTokens()
        try hold(all.map(\.useCount) == [80, 80, 80])
        try hold(all.allSatisfy { $0.lastUsedAt == StoreRecords.start.adding(seconds: 79) })
    }

    private func othersRead() async throws {
        try await fill()
        try await tokens.write([.insert(StoreRecords.token("a"))])
        try await keys.write([.insert(StoreRecords.key("k"))], limit: Self.limit(1))
        try await projects.write([.insertShare(StoreRecords.share("s", state: .accepted))])
        let other = replicas[1]
        try hold(try await other.tokens.loadServiceTokens().map(\.identifier) == ["a"])
        try hold(try await other.keys.load().records.map(\.id) == ["k"])
        try hold(try await other.projects.acceptedShares().map(\.id) == ["s"])
        let full = await keyFault {
            try await other.keys.write([.insert(StoreRecords.key("l"))], limit: Self.limit(1))
        }
        try hold(full == .limitReached(current: 1))
    }

    private var invariants: StoreInvariants { StoreInvariants(clock: clock) }
}
