// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

/// Random acts of several projects against a model that only knows the rules in words.
@Suite struct ShareModelTests {
    /// What the model knows of one share.
    private struct Known {
        let parties: ShareParties
        var state: String
        var reach: Int
        var expiresAt: Timestamp?
    }

    private static let projects = ["zeus", "apollo", "hermes", "hera"]
    private static let resources = ["m1", "m2"]
    private static let permissions: [(SharePermissions, Int)] = [
        (.read, 1), (.use, 2), (.manage, 3), ([.read, .use], 2), ([.read, .manage], 3),
    ]

    @Test(arguments: [UInt64](1...8)) func agreesWithTheRules(_ seed: UInt64) async throws {
        let random = SeededRandom(seed: seed)
        let world = ShareWorld(seed: seed)
        for project in Self.projects { try await world.project(project) }
        var known: [String: Known] = [:]
        for step in 0..<FuzzCases.count(400) {
            world.clock.advance(seconds: Int64(random.below(3)))
            try await act(random, world, &known, "seed \(seed), step \(step)")
            if step.isMultiple(of: 7) { try await compare(world, known, "seed \(seed), step \(step)") }
        }
        try await compare(world, known, "seed \(seed), end")
    }

    private func act(
        _ random: SeededRandom, _ world: ShareWorld, _ known: inout [String: Known], _ place: String
    ) async throws {
        let actor = Self.projects[random.below(Self.projects.count)]
        let (permissions, reach) = Self.permissions[random.below(Self.permissions.count)]
        let now = world.clock.now()
        let expiresAt = random.below(3) == 0 ? now.adding(seconds: Int64(random.below(12)) - 1) : nil
        guard random.below(3) > 0, let id = known.keys.sorted().randomElement(random) else {
            return try await offer(random, world, &known, actor, (permissions, reach), expiresAt, place)
        }
        guard let share = known[id] else { return }
        let events: [ShareEvent] = [
            .accept, .decline, .revoke(reason: "r"),
            .update(ShareTermsChange(permissions: permissions, expiresAt: .some(expiresAt))),
        ]
        let event = events[random.below(events.count)]
        let expected = Self.expected(event, reach, share, by: actor, at: now)
        do throws(Refusal) {
            let after = try await world.registry.apply(event, to: id, as: actor, scope: ShareWorld.acme).after
            guard case .success(let next) = expected else {
                Issue.record("\(place): \(event) by \(actor) was let through")
                return
            }
            #expect(after.state.rawValue == next.state, "\(place): \(event)")
            known[id] = next
        } catch {
            guard case .failure(let refused) = expected else {
                Issue.record("\(place): \(event) by \(actor): \(error)")
                return
            }
            #expect(error.code.rawValue == refused.code, "\(place): \(event) by \(actor)")
        }
    }

    private struct Refused: Error {
        let code: String

        static let state = Result<Known, Refused>.failure(Refused(code: "policy.share_state"))
        static let side = Result<Known, Refused>.failure(Refused(code: "policy.project_denied"))
        static let terms = Result<Known, Refused>.failure(Refused(code: "policy.share_invalid"))
        static let nothing = Result<Known, Refused>.failure(Refused(code: "policy.share_not_found"))
    }

    /// What the rules say, in the order of the checks.
    private static func expected(
        _ event: ShareEvent, _ reach: Int, _ share: Known, by actor: String, at now: Timestamp
    ) -> Result<Known, Refused> {
        let isOwner = share.parties.ownerProject == actor
        guard isOwner || share.parties.project == actor else { return Refused.nothing }
        let isOver = share.expiresAt.map { $0 <= now } ?? false
        var next = share
        switch event {
        case .accept:
            if isOwner { return Refused.side }
            if share.state != "pending" || isOver { return Refused.state }
            next.state = "accepted"
        case .decline:
            if isOwner { return Refused.side }
            if share.state != "pending" { return Refused.state }
            next.state = "declined"
        case .revoke:
            if share.state == "declined" { return Refused.state }
            next.state = "revoked"
        case .update(let change):
            if !isOwner { return Refused.side }
            if share.state == "declined" || share.state == "revoked" { return Refused.state }
            let end = change.expiresAt ?? nil
            if let end, end <= now, end != share.expiresAt { return Refused.terms }
            if share.state == "accepted", reach > share.reach { next.state = "pending" }
            next.reach = reach
            next.expiresAt = end
        case .offer: return Refused.nothing
        }
        return .success(next)
    }

    private func offer(
        _ random: SeededRandom, _ world: ShareWorld, _ known: inout [String: Known], _ owner: String,
        _ wanted: (SharePermissions, Int), _ expiresAt: Timestamp?, _ place: String
    ) async throws {
        let project = Self.projects[random.below(Self.projects.count)]
        let resource = Self.resources[random.below(Self.resources.count)]
        let parties = ShareParties(
            tenantID: "acme", resourceType: "agent", resourceID: resource, ownerProject: owner, project: project)
        let live = known.first {
            $0.value.parties == parties && ($0.value.state == "pending" || $0.value.state == "accepted")
        }
        let isPast = expiresAt.map { $0 <= world.clock.now() } ?? false
        let isBad = owner == project || isPast && expiresAt != live?.value.expiresAt
        do {
            let share = try await world.offer(resource, from: owner, to: project, wanted.0, expiresAt: expiresAt)
            #expect(!isBad, "\(place)")
            #expect(live == nil || live?.key == share.id, "\(place): a second record for one offer")
            #expect(live != nil || known[share.id] == nil, "\(place): an ended share came back")
            var state = live?.value.state ?? "pending"
            if state == "accepted", wanted.1 > live?.value.reach ?? 0 { state = "pending" }
            known[share.id] = Known(parties: parties, state: state, reach: wanted.1, expiresAt: expiresAt)
        } catch {
            #expect(isBad && error.code == .policyShareInvalid, "\(place): \(error)")
        }
    }

    /// What is stored is what the model knows, and what is in force is what of it is accepted and in time.
    private func compare(_ world: ShareWorld, _ known: [String: Known], _ place: String) async throws {
        let now = world.clock.now()
        for (id, share) in known {
            let stored = try await world.registry.share(id, as: share.parties.project, scope: ShareWorld.acme)
            #expect(stored.state.rawValue == share.state, "\(place): \(id)")
        }
        for project in Self.projects {
            for resource in Self.resources {
                let expected = known.values.filter { share in
                    share.parties.project == project && share.parties.resourceID == resource
                        && share.state == "accepted" && (share.expiresAt.map { $0 > now } ?? true)
                }
                let inForce = world.inForce(resource, for: project).filter { $0.expiresAt.map { $0 > now } ?? true }
                #expect(
                    Set(inForce.map(\.ownerProject)) == Set(expected.map(\.parties.ownerProject))
                        && inForce.count == expected.count, "\(place): \(resource) for \(project)")
            }
        }
    }
}

extension [String] {
    fileprivate func randomElement(_ random: SeededRandom) -> String? {
        isEmpty ? nil : self[random.below(count)]
    }
}
