// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Testing

@Suite struct ShareStateMachineTests {
    typealias State = ProjectResourceAccess.State

    private static let now = Timestamp(seconds: 1_772_366_400)
    private static let later = now.adding(seconds: 60)
    private static let owner = ShareActor(subject: "olga", project: "zeus")
    private static let receiver = ShareActor(subject: "rita", project: "apollo")

    private static func share(
        _ state: State, _ permissions: SharePermissions = .read, expiresAt: Timestamp? = nil
    ) -> ProjectResourceAccess {
        ProjectResourceAccess(
            id: "s1",
            parties: ShareParties(
                tenantID: "acme", resourceType: "agent", resourceID: "m1", ownerProject: "zeus", project: "apollo"),
            terms: ShareTerms(permissions: permissions, expiresAt: expiresAt), state: state, createdBy: "olga",
            createdAt: now, acceptedBy: state == .accepted ? "rita" : nil, acceptedAt: state == .accepted ? now : nil,
            revokedBy: state == .revoked ? "olga" : nil, revokedAt: state == .revoked ? now : nil,
            reason: state == .revoked ? "first" : nil, revision: 4)
    }

    private static func apply(
        _ event: ShareEvent, to share: ProjectResourceAccess, by actor: ShareActor
    ) -> Result<ProjectResourceAccess, Refusal> {
        Result { () throws(Refusal) in try ShareStateMachine.apply(event, to: share, by: actor, at: later) }
    }

    private static let events: [String: ShareEvent] = [
        "offer": .offer(ShareTerms(permissions: .read)), "update": .update(ShareTermsChange(permissions: .read)),
        "more": .update(ShareTermsChange(permissions: .manage)), "accept": .accept, "decline": .decline,
        "revoke": .revoke(reason: "why"),
    ]

    /// Every state and every event by the side that may do it.
    @Test(arguments: [
        ("pending", "offer", "pending"), ("pending", "update", "pending"), ("pending", "more", "pending"),
        ("pending", "accept", "accepted"), ("pending", "decline", "declined"), ("pending", "revoke", "revoked"),
        ("accepted", "offer", "accepted"), ("accepted", "update", "accepted"), ("accepted", "more", "pending"),
        ("accepted", "accept", "409 accepted"), ("accepted", "decline", "409 accepted"),
        ("accepted", "revoke", "revoked"),
        ("declined", "offer", "409 declined"), ("declined", "update", "409 declined"),
        ("declined", "more", "409 declined"), ("declined", "accept", "409 declined"),
        ("declined", "decline", "409 declined"), ("declined", "revoke", "409 declined"),
        ("revoked", "offer", "409 revoked"), ("revoked", "update", "409 revoked"), ("revoked", "more", "409 revoked"),
        ("revoked", "accept", "409 revoked"), ("revoked", "decline", "409 revoked"), ("revoked", "revoke", "revoked"),
    ])
    func movesOnlyWhereItMay(_ state: String, _ name: String, _ expected: String) throws {
        let share = Self.share(try #require(State(rawValue: state)))
        let event = try #require(Self.events[name])
        let isReceivers = event == .accept || event == .decline
        switch Self.apply(event, to: share, by: isReceivers ? Self.receiver : Self.owner) {
        case .success(let next):
            #expect(next.state.rawValue == expected)
            #expect(next.revision == (next == share ? 4 : 5))
            #expect(next.id == share.id && next.parties == share.parties && next.createdAt == share.createdAt)
        case .failure(let refusal):
            #expect(expected == "409 \(state)")
            #expect(refusal.code == .policyShareState)
            #expect(refusal.message == "The share is \(state)")
            #expect(refusal.details?["state"] == .string(state))
        }
    }

    @Test(arguments: ["accept", "decline"], State.allCases)
    func onlyTheReceiverAnswers(_ name: String, _ state: State) throws {
        let event = try #require(Self.events[name])
        guard case .failure(let refusal) = Self.apply(event, to: Self.share(state), by: Self.owner) else {
            Issue.record("\(name) was let through")
            return
        }
        #expect(refusal.code == .policyProjectDenied)
        #expect(refusal.message == "Only the receiving project answers an offer")
    }

    @Test(arguments: ["offer", "update", "more"], State.allCases)
    func onlyTheOwnerChanges(_ name: String, _ state: State) throws {
        let event = try #require(Self.events[name])
        guard case .failure(let refusal) = Self.apply(event, to: Self.share(state), by: Self.receiver) else {
            Issue.record("\(name) was let through")
            return
        }
        #expect(refusal.code == .policyProjectDenied)
        #expect(refusal.message == "Only the offering project changes a share")
    }

    @Test(arguments: ["offer", "update", "more", "accept", "decline", "revoke"], State.allCases)
    func whoIsNoSideSeesNothing(_ name: String, _ state: State) throws {
        let event = try #require(Self.events[name])
        let stranger = ShareActor(subject: "sam", project: "hermes")
        guard case .failure(let refusal) = Self.apply(event, to: Self.share(state), by: stranger) else {
            Issue.record("\(name) was let through")
            return
        }
        #expect(refusal.code == .policyShareNotFound)
        #expect(refusal.message == "Share 's1' not found")
    }

    @Test func noteWhoAcceptedAndWhoRevoked() throws {
        let accepted = try Self.apply(.accept, to: Self.share(.pending), by: Self.receiver).get()
        #expect(accepted.acceptedBy == "rita" && accepted.acceptedAt == Self.later)
        let revoked = try Self.apply(.revoke(reason: "over"), to: accepted, by: Self.receiver).get()
        #expect(revoked.revokedBy == "rita" && revoked.revokedAt == Self.later && revoked.reason == "over")
        #expect(revoked.acceptedBy == "rita")
        let again = try Self.apply(.revoke(reason: "other"), to: revoked, by: Self.owner).get()
        #expect(again == revoked)
    }

    @Test(arguments: [
        (["read"], ["read"], false), (["read"], ["use"], true), (["read"], ["read", "use"], true),
        (["read"], ["manage"], true), (["use"], ["read"], false), (["use"], ["read", "use"], false),
        (["use"], ["manage"], true), (["manage"], ["read"], false), (["manage"], ["use"], false),
        (["manage"], ["read", "use", "manage"], false), (["read", "use"], ["manage"], true),
    ])
    func moreWaitsForAcceptance(_ before: [String], _ after: [String], _ waits: Bool) throws {
        let old = try #require(SharePermissions(names: before))
        let new = try #require(SharePermissions(names: after))
        for event in [
            ShareEvent.update(ShareTermsChange(permissions: new)), .offer(ShareTerms(permissions: new)),
        ] {
            let next = try Self.apply(event, to: Self.share(.accepted, old), by: Self.owner).get()
            #expect(next.state == (waits ? .pending : .accepted))
            #expect(next.terms.permissions == new)
            #expect((next.acceptedBy == nil) == waits && (next.acceptedAt == nil) == waits)
            #expect(next.counts(at: Self.later) != waits)
        }
    }

    @Test func anOfferThatRanOutIsNotAccepted() throws {
        let share = Self.share(.pending, expiresAt: Self.later)
        guard case .failure(let refusal) = Self.apply(.accept, to: share, by: Self.receiver) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.code == .policyShareState)
        #expect(refusal.message == "The share is expired")
        #expect(refusal.details == ["state": "expired"])
        #expect(try Self.apply(.decline, to: share, by: Self.receiver).get().state == .declined)
    }

    @Test func countsOnlyWhileItIsAcceptedAndInTime() {
        #expect(Self.share(.accepted).counts(at: Self.later))
        #expect(Self.share(.accepted, expiresAt: Self.later.adding(seconds: 1)).counts(at: Self.later))
        #expect(!Self.share(.accepted, expiresAt: Self.later).counts(at: Self.later))
        for state in [State.pending, .declined, .revoked] { #expect(!Self.share(state).counts(at: Self.later)) }
    }

    @Test func anEndMustLieAhead() throws {
        for event in [
            ShareEvent.update(ShareTermsChange(expiresAt: .some(Self.now))),
            .offer(ShareTerms(permissions: .read, expiresAt: Self.later)),
        ] {
            guard case .failure(let refusal) = Self.apply(event, to: Self.share(.accepted), by: Self.owner) else {
                Issue.record("let through")
                continue
            }
            #expect(refusal.code == .policyShareInvalid)
            #expect(refusal.message == "expires_at: not in the future")
            #expect(refusal.details?["fields"] == [["field": "expires_at", "reason": "not in the future"]])
        }
        let over = Self.share(.accepted, .use, expiresAt: Self.now)
        let narrowed = try Self.apply(.update(ShareTermsChange(permissions: .read)), to: over, by: Self.owner).get()
        #expect(narrowed.terms == ShareTerms(permissions: .read, expiresAt: Self.now))
        let open = try Self.apply(.update(ShareTermsChange(expiresAt: .some(nil))), to: over, by: Self.owner).get()
        #expect(open.terms.expiresAt == nil && open.state == .accepted)
    }

    @Test(arguments: ["", "A", "_a", "-a", "a b", "ä", "a/b", String(repeating: "a", count: 64)])
    func refusesProjectIdentifiers(_ text: String) { #expect(!Project.isIdentifier(text)) }

    @Test(arguments: ["a", "0", "a_b-c", String(repeating: "a", count: 63)])
    func takesProjectIdentifiers(_ text: String) { #expect(Project.isIdentifier(text)) }

    @Test func comparesKeysAsBytes() {
        func key(_ id: String) -> ShareTable.Key { ShareTable.Key(tenant: "t", type: "a", id: id, project: "p") }
        #expect(key("caf\u{E9}") == key("caf\u{E9}"))
        #expect(key("caf\u{E9}") != key("cafe\u{301}"))
        let table = ShareTable([key("caf\u{E9}"): [AcceptedShare(ownerProject: "o", permissions: .read)]])
        #expect(table.shares(key("cafe\u{301}")).isEmpty)
        #expect(table.shares(key("caf\u{E9}")).count == 1)
    }

    @Test func readsOnlyCursorsThatItGave() {
        let cursor = PageCursor(createdAt: Self.now, id: "a-1")
        #expect(PageCursor(text: cursor.text) == cursor)
        for text in [
            "", "x", "!!", Base64URL.encode(Array("5".utf8)), Base64URL.encode(Array("x:a".utf8)),
            Base64URL.encode(Array("5:A/".utf8)), String(repeating: "A", count: 400),
        ] {
            #expect(PageCursor(text: text) == nil)
        }
    }
}
