// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authentication

@Suite struct TokenReviewsTests {
    private static let away = TokenReviewError(.unavailable, "no connection", retryAfter: .milliseconds(2500))

    @Test func theClustersTokenIsAskedAboutOnceAndKept() async throws {
        let world = ReviewWorld()
        try await world.running {
            let token = try world.token()
            #expect(ReviewWorld.text(world.authenticate(token)) == "asks")
            #expect(ReviewWorld.text(await world.asking(token)) == "200 system:serviceaccount:ci:builder")
            #expect(world.reviewer.asked.map(\.token) == [token])
            #expect(world.reviewer.asked.map(\.audiences) == [["tollgate"]])
            // Known now: nobody has to wait.
            #expect(ReviewWorld.text(world.authenticate(token)) == "200 system:serviceaccount:ci:builder")
            #expect(world.reviewer.asked.count == 1)
            #expect(try world.count("authenticated") == 1)
        }
    }

    @Test func thePrincipalIsWhomTheClusterKnows() async throws {
        let world = ReviewWorld(mappings: [
            IdentityMapping(
                match: .subject("system:serviceaccount:ci:*"), roles: ["editor"], scopes: ["tasks:read"],
                workspaces: ["WS-A", "*"], tenant: "acme"),
            IdentityMapping(match: .group("system:serviceaccounts"), roles: ["viewer"]),
            IdentityMapping(match: .subject("someone"), roles: ["owner"]),
        ])
        try await world.running {
            let token = try world.token(["iat": .int(1_772_366_000), "roles": ["admin"], "tenant_id": "other"])
            let principal = try #require(await world.asking(token).principal)
            #expect(principal.identityType == .service)
            #expect(principal.authSource == .kubernetes)
            #expect(!principal.platform && !principal.admin && !principal.scoped)
            #expect(principal.roles == ["editor", "viewer"])
            #expect(principal.scopes == ["tasks:read"])
            #expect(principal.workspaceIDs == ["ws-a"])
            #expect(principal.tenantID == "acme")
            #expect(principal.accountID == "acme")
            #expect(principal.tokenID == "4711")
            #expect(principal.groups == ReviewWorld.user.groups)
            #expect(principal.audience == ["tollgate"])
            #expect(principal.issuer == ReviewWorld.issuer)
            #expect(principal.issuedAt?.seconds == 1_772_366_000)
            #expect(principal.expiresAt?.seconds == world.clock.now().seconds + 3600)
            #expect(principal.claims["uid"] == "uid-1")
            #expect(principal.claims["extra"] == .object(ReviewWorld.user.extra))
            #expect(principal.claims["roles"] == nil)
        }
    }

    @Test func aReservedNameIsNobodysHere() async throws {
        let world = ReviewWorld(.success(.authenticated(ReviewedUser(username: "admin"), audiences: ["tollgate"])))
        try await world.running {
            let principal = try #require(await world.asking(try world.token()).principal)
            #expect(principal.subject == "kubernetes:admin")
            #expect(!principal.admin)
            #expect(principal.tokenID == "kubernetes:admin")
        }
    }

    struct Routing: Sendable, CustomTestStringConvertible {
        var name: String
        var claims: JSONObject = [:]
        var without: [String] = []
        var knowsIssuer = true
        var entry: IssuerEntry?
        var expected: String

        var testDescription: String { name }
    }

    private static let shared = Redacted(Array("a-shared-secret-of-more-than-32-bytes-000".utf8))

    static let routings = [
        Routing(name: "the cluster's", expected: "asks"),
        Routing(name: "the cluster's without end", without: ["exp"], expected: "asks"),
        Routing(name: "another issuer's", claims: ["iss": "https://other"], expected: "401 auth.invalid_token"),
        Routing(
            name: "another issuer's beside entries", claims: ["iss": "https://other"],
            entry: IssuerEntry(name: "a", issuer: "https://id.example", secret: shared),
            expected: "401 auth.invalid_issuer"),
        Routing(
            name: "any unknown issuer's from outside", claims: ["iss": "https://other"], knowsIssuer: false,
            expected: "asks"),
        Routing(name: "no issuer", without: ["iss"], knowsIssuer: false, expected: "401 auth.invalid_token"),
        Routing(
            name: "issuer that is no text", claims: ["iss": 5], knowsIssuer: false, expected: "401 auth.invalid_token"),
        Routing(
            name: "an entry's, though it is the cluster's",
            entry: IssuerEntry(name: "a", issuer: ReviewWorld.issuer, secret: shared, algorithms: [.hs256]),
            expected: "401 auth.unsupported_algorithm"),
        Routing(
            name: "the cluster's beside an entry for all", entry: IssuerEntry(name: "a", secret: shared),
            expected: "asks"),
        Routing(
            name: "from outside an entry for all takes it", knowsIssuer: false,
            entry: IssuerEntry(name: "a", secret: shared, algorithms: [.hs256]),
            expected: "401 auth.unsupported_algorithm"),
        Routing(name: "long expired", claims: ["exp": 1_772_366_340], expected: "401 auth.token_expired"),
        Routing(name: "just expired", claims: ["exp": 1_772_366_341], expected: "asks"),
        Routing(name: "end that is no number", claims: ["exp": "1772370000"], expected: "401 auth.invalid_token"),
    ]

    @Test(arguments: routings) func goesToWhoCanJudgeIt(_ routing: Routing) throws {
        let table = try IssuerTable(entries: [routing.entry].compactMap(\.self))
        let world = ReviewWorld(issuers: table, knowsIssuer: routing.knowsIssuer)
        let token = try world.token(routing.claims, without: routing.without)
        #expect(ReviewWorld.text(world.authenticate(token)) == routing.expected)
        #expect(world.reviewer.asked.isEmpty)
    }

    @Test func whereItIsOffNobodyIsAsked() throws {
        var world = ReviewWorld()
        world.realm.tokenReview = nil
        let token = try world.token()
        #expect(ReviewWorld.text(world.authenticate(token)) == "401 auth.invalid_token")
    }

    @Test func itIsACredentialThatEnforces() {
        var world = ReviewWorld()
        world.realm.mode = .optional
        #expect(world.authenticator.isEnforcing(world.realm))
        world.realm.tokenReview = nil
        #expect(!world.authenticator.isEnforcing(world.realm))
    }

    @Test func aWaitingRequestCountsForNothing() throws {
        let world = ReviewWorld()
        for _ in 0..<30 { _ = world.authenticate(try world.token()) }
        #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
        #expect(world.reviews.questionsUnderWay == 0)
    }

    @Test func aYesIsKeptForAMinuteAndNotPastTheTokensEnd() async throws {
        let world = ReviewWorld()
        try await world.running {
            let (long, short) = (try world.token(), try world.token(["exp": .int(world.clock.now().seconds + 30)]))
            for token in [long, short] { _ = await world.asking(token) }
            world.clock.advance(seconds: 29)
            #expect(ReviewWorld.text(world.authenticate(long)).hasPrefix("200"))
            #expect(ReviewWorld.text(world.authenticate(short)).hasPrefix("200"))
            world.clock.advance(seconds: 1)
            #expect(ReviewWorld.text(world.authenticate(short)) == "asks")
            world.clock.advance(seconds: 29)
            #expect(ReviewWorld.text(world.authenticate(long)).hasPrefix("200"))
            world.clock.advance(seconds: 1)
            #expect(ReviewWorld.text(world.authenticate(long)) == "asks")
        }
    }

    @Test func aNoIsKeptForTenSecondsAndCountsAsAFailure() async throws {
        let world = ReviewWorld(.success(.unknown))
        try await world.running {
            let token = try world.token()
            #expect(ReviewWorld.text(await world.asking(token)) == "401 auth.invalid_token")
            for _ in 0..<5 { #expect(ReviewWorld.text(world.authenticate(token)) == "401 auth.invalid_token") }
            #expect(world.reviewer.asked.count == 1)
            let address = try #require(IPAddress("192.0.2.10"))
            #expect(world.limiter.failures(of: address, now: world.clock.now())?.count == 6)
            world.clock.advance(seconds: 10)
            #expect(ReviewWorld.text(world.authenticate(token)) == "asks")
            #expect(try world.count("refused") == 1)
        }
    }

    @Test func faultsAreNeverKept() async throws {
        let world = ReviewWorld(.failure(Self.away))
        try await world.running {
            let token = try world.token()
            let result = await world.asking(token)
            #expect(ReviewWorld.text(result) == "503 auth.review_unavailable")
            #expect(result.refusal?.retryAfterSeconds == 3)
            #expect(world.reviews.keptAnswers == 0)
            #expect(world.limiter.blocks(now: world.clock.now()).isEmpty)
            world.reviewer.say(.success(.authenticated(ReviewWorld.user, audiences: ["tollgate"])))
            #expect(ReviewWorld.text(await world.asking(token)).hasPrefix("200"))
            #expect(try world.count("error") == 1)
        }
    }

    @Test func tokensOfOtherAudiencesAreNotKnownByThatAnswer() async throws {
        let world = ReviewWorld()
        try await world.running {
            let token = try world.token()
            _ = await world.asking(token)
            var other = world
            other.realm.tokenReview = TokenReviewPolicy(audiences: ["billing"])
            #expect(ReviewWorld.text(other.authenticate(token)) == "asks")
            #expect(ReviewWorld.text(await other.asking(token)) == "401 auth.invalid_audience")
        }
    }

    @Test func manyWhoWaitForOneTokenAskOnce() async throws {
        let world = ReviewWorld()
        world.reviewer.hold()
        try await world.running {
            let token = try world.token()
            let results = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { ReviewWorld.text(await world.asking(token)) } }
                // Everybody waits on the clock before the cluster answers.
                try await Eventually.holds("51 to wait") { world.time.sleepers == 51 }
                world.reviewer.release()
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(results == ["200 system:serviceaccount:ci:builder"])
            #expect(world.reviewer.asked.count == 1)
            #expect(world.reviews.questionsUnderWay == 0)
        }
    }

    @Test func whoCannotWaitLeavesTheAnswerForTheNext() async throws {
        let world = ReviewWorld()
        world.reviewer.hold()
        try await world.running {
            let token = try world.token()
            try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask { ReviewWorld.text(await world.asking(token, timeLeft: .milliseconds(135))) }
                try await Eventually.holds("both to wait") { world.time.sleepers == 2 }
                world.time.advance(by: .milliseconds(135))
                #expect(try await group.next() == "503 auth.review_unavailable")
            }
            world.reviewer.release()
            try await Eventually.holds("the answer") { world.reviews.keptAnswers == 1 }
            #expect(ReviewWorld.text(world.authenticate(token)).hasPrefix("200"))
        }
    }

    @Test func aQuestionEndsAfterTwoSeconds() async throws {
        let world = ReviewWorld()
        world.reviewer.hold()
        try await world.running {
            let token = try world.token()
            try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask { ReviewWorld.text(await world.asking(token)) }
                try await Eventually.holds("both to wait") { world.time.sleepers == 2 }
                #expect(world.time.asked == [.seconds(2), .seconds(2)])
                world.time.advance(by: .seconds(2))
                #expect(try await group.next() == "503 auth.review_unavailable")
            }
            try await Eventually.holds("the question to end") { world.reviewer.cancelled == 1 }
            try await Eventually.holds("nobody to wait") { world.reviews.questionsUnderWay == 0 }
            #expect(world.reviews.keptAnswers == 0)
            #expect(try world.count("timeout") == 1)
        }
    }

    @Test func noTimeLeftAsksNobody() async throws {
        let world = ReviewWorld()
        let token = try world.token()
        #expect(
            ReviewWorld.text(await world.asking(token, timeLeft: .zero)) == "503 auth.review_unavailable")
        #expect(world.reviewer.asked.isEmpty)
    }

    @Test func moreThanTheBudgetIsRefusedWithoutAQuestion() async throws {
        let world = ReviewWorld(.success(.unknown))
        try await world.running {
            var answers: [String: Int] = [:]
            for number in 0..<40 {
                answers[ReviewWorld.text(await world.asking(try world.token(number: number))), default: 0] += 1
            }
            #expect(answers == ["401 auth.invalid_token": 30, "503 auth.review_unavailable": 10])
            #expect(world.reviewer.asked.count == 30)
            #expect(try world.count("limited") == 10)
            world.time.advance(by: .milliseconds(100))
            for number in 100..<104 { _ = await world.asking(try world.token(number: number)) }
            #expect(world.reviewer.asked.count == 32)
        }
    }

    @Test func rememberedAnswersAreBounded() async throws {
        let world = ReviewWorld(settings: TokenReviewSettings(cacheCapacity: 3))
        try await world.running {
            for number in 0..<10 { _ = await world.asking(try world.token(number: number)) }
            #expect(world.reviews.keptAnswers == 3)
        }
    }

    @Test func explanationsSayWhatTheClusterSaid() async throws {
        let world = ReviewWorld()
        try await world.running {
            func told(_ text: String, _ review: ReviewedToken? = nil) -> String {
                let report = world.authenticator.report(
                    world.request(text, review: review, isDryRun: true), realm: world.realm, now: world.clock.now())
                return report.explanation.compared.map(\.text).joined(separator: "; ")
            }
            let token = try world.token()
            #expect(told(token).contains("was not asked"))
            #expect(world.reviewer.asked.isEmpty)
            _ = await world.asking(token)
            #expect(told(token).contains("it knows system:serviceaccount:ci:builder"))
            #expect(told(token).contains("no mapping"))
            #expect(!told(token).contains(token))
            world.reviewer.say(.success(.unknown))
            let unknown = try world.token(number: 1)
            _ = await world.asking(unknown)
            #expect(told(unknown).contains("does not know the token"))
        }
    }
}
