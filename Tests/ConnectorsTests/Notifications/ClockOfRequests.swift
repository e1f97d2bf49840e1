// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// A clock on which every pause is over as soon as a server was asked something.
struct ClockOfRequests: MonotonicClock {
    private let server: LoopbackHTTPServer

    init(_ server: LoopbackHTTPServer) { self.server = server }

    func now() -> Duration { .zero }

    func pause(for duration: Duration) async throws {
        try await Eventually.holds("a request") { !server.requests.isEmpty }
    }
}
