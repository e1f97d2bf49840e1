// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Makes sessions of credentials, finds them by their cookies and ends them.
package struct SessionKeeper: Sendable {
    /// A session of a token is over then, however much it is used.
    package static let lifetime = Duration.seconds(12 * 3600)
    /// A use is not written down again before that: pages ask for several things at once.
    private static let useGrainSeconds: Int64 = 5

    private let store: SessionStore
    private let clock: any WallClock
    private let random: any RandomSource

    package init(store: SessionStore, clock: any WallClock, random: any RandomSource) {
        self.store = store
        self.clock = clock
        self.random = random
    }

    /// Makes a session of whoever presented a credential. The credential is kept sealed, as long as the session is, so that it can be looked
    /// at again at every use.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func begin(
        _ principal: Principal, credential: Redacted<String>, device: SessionRecord.Device
    ) async throws(Refusal) -> SessionRecord {
        let now = clock.now()
        let longest = now.adding(seconds: Self.lifetime.wholeSeconds)
        let end = principal.expiresAt.map { min($0, longest) } ?? longest
        let session = SessionRecord(
            id: SessionNames.makeID(random: random), issuer: Self.issuer(of: principal), userID: principal.subject,
            email: principal.email, username: principal.username, name: principal.name, roles: principal.roles,
            tenantID: principal.tenantID, device: device, createdAt: now, lastActivity: now, expiresAt: end,
            tokens: SessionRecord.Tokens(access: credential.revealed, refresh: nil, accessExpiresAt: end))
        try await asked { () async throws(SessionBackendError) in try await store.save(session) }
        return session
    }

    /// A session by the text of its cookie, and notes that it was used; nil when it is over, or never was.
    ///
    /// - Parameter notesUse: false for a look at a session that nobody used.
    /// - Throws: `auth.store_unavailable`.
    package func session(cookie: String, notesUse: Bool = true) async throws(Refusal) -> SessionRecord? {
        guard SessionCookie.isID(cookie) else { return nil }
        return try await asked { () async throws(SessionBackendError) in
            guard var session = try await store.session(id: cookie) else { return nil }
            let now = clock.now()
            if notesUse, now >= session.lastActivity.adding(seconds: Self.useGrainSeconds) {
                session.lastActivity = now
                try await store.touch(session)
            }
            return session
        }
    }

    /// Ends a session.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func end(_ session: SessionRecord) async throws(Refusal) {
        try await asked { () async throws(SessionBackendError) in try await store.end(session) }
    }

    /// A session by its handle or its id: one of the caller's own, for an admin anybody's; nil where there is none.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func session(
        named name: String, of principal: Principal, admin: Bool
    ) async throws(Refusal) -> SessionRecord? {
        let isID = SessionCookie.isID(name)
        let handle = isID ? SessionNames.handle(ofID: name) : name
        if let own = try await sessions(of: principal).first(where: { $0.handle == handle }) { return own }
        guard admin else { return nil }
        return try await asked { () async throws(SessionBackendError) in
            isID ? try await store.session(id: name) : try await store.session(handle: handle)
        }
    }

    /// The sessions of a caller, the newest first.
    ///
    /// - Throws: `auth.store_unavailable`.
    package func sessions(of principal: Principal) async throws(Refusal) -> [SessionRecord] {
        try await asked { () async throws(SessionBackendError) in
            try await store.sessions(issuer: Self.issuer(of: principal), subject: principal.subject)
        }
    }

    /// Where nobody issued the caller's credential, Tollgate did; different kinds of credentials never share a name.
    private static func issuer(of principal: Principal) -> String {
        principal.issuer ?? "tollgate:\(principal.authSource.rawValue):\(principal.tenantID ?? "")"
    }

    private func asked<Value: Sendable>(
        _ body: () async throws(SessionBackendError) -> Value
    ) async throws(Refusal) -> Value {
        do throws(SessionBackendError) {
            return try await body()
        } catch {
            throw Refusal(.authStoreUnavailable, message: "Session store unavailable", retryAfterSeconds: 1)
        }
    }
}
