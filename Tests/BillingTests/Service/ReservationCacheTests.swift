// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Billing

/// What is kept of a reservation is what its row says, whatever becomes of the transaction that wrote it.
@Suite struct ReservationCacheTests {
    @Test func givesWhatTheRowHolds() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 1000)
        let made = try await desk.reserve("acme", 600, key: "r").reservation
        let stored = try await desk.ledger.read("acme") { try $0.reservation(id: made.id) }
        let row = try #require(stored)
        #expect(try Reservation(row) == made)
        let cache = ReservationCache(capacity: 2)
        cache.keep(made, row)
        #expect(try cache.reservation(row) == made)
        // It was taken back, and another process has written it.
        var later = made
        later.charged = 5
        #expect(try cache.reservation(later.row) == later)
        var other = row
        other.document = "{}"
        #expect(throws: BillingStoreError.self) { try cache.reservation(other) }
        later.state = .committed
        cache.keep(later, later.row)
        #expect(try cache.reservation(row) == made)
    }
}
