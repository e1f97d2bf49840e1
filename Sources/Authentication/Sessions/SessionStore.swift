// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Sessions by their ids, sealed wherever they are kept.
package struct SessionStore: Sendable {
    /// After so long without use a session is over.
    package static let idle = Duration.seconds(30 * 60)
    /// The longest that a session lasts.
    package static let longest = Duration.seconds(86_400)
    /// How long a lock lasts that nobody renews.
    package static let lockDuration = Duration.seconds(10)
    /// How often the holder of a lock renews it.
    private static let lockRenewal = Duration.seconds(3)

    private let backend: any SessionBackend
    private let seal: SessionSeal
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let random: any RandomSource

    package init(
        backend: any SessionBackend, seal: SessionSeal, clock: any WallClock, time: any MonotonicClock,
        random: any RandomSource
    ) {
        self.backend = backend
        self.seal = seal
        self.clock = clock
        self.time = time
        self.random = random
    }

    /// Writes a session down, new or changed. It is kept until its end or until it has been idle for too long, whichever is first.
    package func save(_ session: SessionRecord) async throws(SessionBackendError) {
        try await backend.put(try entry(session), at: clock.now())
    }

    /// Notes that a session was used. One that has been ended meanwhile stays ended.
    package func touch(_ session: SessionRecord) async throws(SessionBackendError) {
        try await backend.replace(try entry(session), at: clock.now())
    }

    private func entry(_ session: SessionRecord) throws(SessionBackendError) -> SessionEntry {
        let key = SessionNames.key(ofID: session.id.revealed)
        var writer = JSONWriter(reserving: 2048)
        writer.value(session.sealedJSON)
        guard let value = seal.seal(writer.bytes, name: key) else {
            throw SessionBackendError("the session cannot be sealed")
        }
        let end = min(session.expiresAt, session.createdAt.adding(seconds: Self.longest.wholeSeconds))
        return SessionEntry(
            key: key, user: SessionNames.user(issuer: session.issuer, subject: session.userID), value: value,
            expiresAt: min(end, session.lastActivity.adding(seconds: Self.idle.wholeSeconds)))
    }

    /// A session that is not over; nil also for one that cannot be read, which is as good as lost.
    package func session(id: String) async throws(SessionBackendError) -> SessionRecord? {
        try await session(key: SessionNames.key(ofID: id))
    }

    /// A session that is not over, by its handle.
    package func session(handle: String) async throws(SessionBackendError) -> SessionRecord? {
        guard let key = try await backend.key(ofHandle: handle, at: clock.now()) else { return nil }
        return try await session(key: key)
    }

    private func session(key: String) async throws(SessionBackendError) -> SessionRecord? {
        let now = clock.now()
        guard let entry = try await backend.entry(key, at: now),
            let bytes = seal.open(entry.value, name: key),
            // What does not parse was not written by this program.
            let json = try? JSONParser.parse(bytes), let session = SessionRecord(sealedJSON: json),
            SessionNames.key(ofID: session.id.revealed) == key
        else { return nil }
        let isOver =
            now >= session.expiresAt || now >= session.lastActivity.adding(seconds: Self.idle.wholeSeconds)
            || now >= session.createdAt.adding(seconds: Self.longest.wholeSeconds)
        return isOver ? nil : session
    }

    /// Ends a session.
    package func end(_ session: SessionRecord) async throws(SessionBackendError) {
        try await backend.remove(
            SessionNames.key(ofID: session.id.revealed),
            user: SessionNames.user(issuer: session.issuer, subject: session.userID))
    }

    /// A user's sessions, the newest first.
    package func sessions(issuer: String, subject: String) async throws(SessionBackendError) -> [SessionRecord] {
        var sessions: [SessionRecord] = []
        let user = SessionNames.user(issuer: issuer, subject: subject)
        for key in try await backend.keys(ofUser: user, at: clock.now()) {
            if let session = try await session(key: key), session.issuer == issuer, session.userID == subject {
                sessions.append(session)
            }
        }
        return sessions.sorted { $0.createdAt > $1.createdAt }
    }

    /// Does something with a session that one replica must do at a time, such as refreshing its tokens. The lock is renewed while the body works.
    ///
    /// - Returns: nil when another has the lock.
    package func alone<Value: Sendable>(
        with id: String, _ body: @escaping @Sendable () async -> Value
    ) async throws(SessionBackendError) -> Value? {
        let name = SessionNames.lock(ofKey: SessionNames.key(ofID: id))
        let owner = Hex.encode(random.bytes(16))
        guard try await backend.lock(name, owner: owner, for: Self.lockDuration, at: clock.now()) else { return nil }
        let value = await withTaskGroup(of: Value?.self) { group -> Value? in
            group.addTask { await body() }
            group.addTask {
                // Ends when the body does; a lock that cannot be renewed is over by itself.
                while (try? await time.pause(for: Self.lockRenewal)) != nil {
                    _ = try? await backend.lock(name, owner: owner, for: Self.lockDuration, at: clock.now())
                }
                return nil
            }
            defer { group.cancelAll() }
            for await value in group { if let value { return value } }
            return nil
        }
        try await backend.unlock(name, owner: owner)
        return value
    }
}
