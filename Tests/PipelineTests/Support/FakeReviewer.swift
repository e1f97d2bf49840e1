// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Synchronization
internal import TestSupport

/// A cluster that knows one service account by its token, and says so unless a test wants something else.
final class FakeReviewer: TokenReviewing {
    enum Mood: Sendable {
        case knows, knowsNobody, isAway, isSilent
    }

    private let state = Mutex((mood: Mood.knows, asked: 0))

    var asked: Int { state.withLock(\.asked) }

    func be(_ mood: Mood) { state.withLock { $0.mood = mood } }

    func review(_ token: Redacted<String>, audiences: [String]) async throws(TokenReviewError) -> TokenReviewStatus {
        let mood = state.withLock { state in
            state.asked += 1
            return state.mood
        }
        switch mood {
        case .knows:
            return .authenticated(
                ReviewedUser(username: "system:serviceaccount:ci:builder", groups: ["system:serviceaccounts"]),
                audiences: audiences)
        case .knowsNobody: return .unknown
        case .isAway: throw TokenReviewError(.unavailable, "no connection")
        case .isSilent:
            // Ends when it is given up.
            await Signal().wait()
            throw TokenReviewError(.unavailable, "given up")
        }
    }

    /// A token that says that the cluster made it.
    static func token(_ world: PipelineWorld, number: Int = 0) throws -> String {
        try TokenForge.token(
            header: ["alg": "RS256"],
            claims: [
                "iss": "https://cluster.example", "sub": "system:serviceaccount:ci:builder", "n": .int(Int64(number)),
                "exp": .int(world.clock.now().seconds + 600),
            ], key: nil) + "c2ln"
    }
}
