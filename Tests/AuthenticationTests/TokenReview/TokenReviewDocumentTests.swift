// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import Authentication

@Suite struct TokenReviewDocumentTests {
    @Test func theQuestionHoldsTokenAndAudiences() {
        let document = TokenReviewDocument.request(Redacted("a.b.c"), audiences: ["tollgate"])
        #expect(document["apiVersion"] == "authentication.k8s.io/v1")
        #expect(document["kind"] == "TokenReview")
        #expect(document["spec"] == ["token": "a.b.c", "audiences": ["tollgate"]])
    }

    private static let user: JSONValue = [
        "username": "u", "uid": "1", "groups": ["b", "a"], "extra": ["k": ["v"]],
    ]

    static let answers: [(JSONValue, String)] = [
        (["status": ["authenticated": true, "user": user, "audiences": ["tollgate"]]], "u 1 a,b for tollgate"),
        (["status": ["authenticated": true, "user": ["username": "u"]]], "u - for "),
        (["status": ["authenticated": false, "user": user, "audiences": ["tollgate"]]], "unknown"),
        (["status": ["error": "invalid bearer token", "user": [:]]], "unknown"),
        (["status": [:]], "unknown"),
        (["status": ["authenticated": .null]], "unknown"),
        (["status": ["authenticated": "true", "user": user]], "malformedAnswer"),
        (["status": ["authenticated": 1, "user": user]], "malformedAnswer"),
        (["status": ["authenticated": true]], "malformedAnswer"),
        (["status": ["authenticated": true, "user": ["username": " "]]], "malformedAnswer"),
        (["status": ["authenticated": true, "user": ["username": 5]]], "malformedAnswer"),
        (["status": "authenticated"], "malformedAnswer"),
        ([:], "malformedAnswer"),
        ("authenticated", "malformedAnswer"),
        (
            [
                "status": [
                    "authenticated": true,
                    "user": ["username": "u", "groups": .array((0...256).map { .string("g\($0)") })],
                ]
            ], "unknown"
        ),
    ]

    @Test(arguments: answers) func onlyAClearYesIsOne(document: JSONValue, expected: String) {
        #expect(Self.text(document) == expected)
    }

    private static func text(_ document: JSONValue) -> String {
        do throws(TokenReviewError) {
            switch try TokenReviewDocument.status(of: document) {
            case .unknown: return "unknown"
            case .authenticated(let user, let audiences):
                let groups = user.groups.isEmpty ? "" : " " + user.groups.joined(separator: ",")
                return "\(user.username) \(user.uid ?? "-")\(groups) for \(audiences.joined(separator: ","))"
            }
        } catch {
            return error.code.rawValue
        }
    }

    /// Whatever a server sends: a yes has `authenticated: true` and a name in it.
    @Test func changedAnswersNeverBecomeAYes() {
        let random = SeededRandom(seed: 77)
        let good: JSONValue = ["status": ["authenticated": true, "user": Self.user, "audiences": ["tollgate"]]]
        let parts: [JSONValue] = [.null, true, false, 0, 1, "", "true", [], [:], ["username": "u"], Self.user]
        for _ in 0..<FuzzCases.count(2000) {
            var status = good["status"]?.objectValue ?? JSONObject()
            for name in ["authenticated", "user", "audiences"] where random.below(2) == 0 {
                status[name] = parts[random.below(parts.count)]
            }
            let answer = Self.text(["status": .object(status)])
            if answer.contains(" for ") {
                #expect(status["authenticated"] == true)
                #expect(status["user"]?["username"] == "u")
            }
        }
    }

    static let verdicts: [(TokenReviewStatus, [String], String)] = [
        (.unknown, [], "auth.invalid_token"),
        (.authenticated(ReviewedUser(username: "u"), audiences: ["tollgate"]), [], "u"),
        (.authenticated(ReviewedUser(username: "u"), audiences: []), [], "auth.invalid_audience"),
        (.authenticated(ReviewedUser(username: "u"), audiences: ["Tollgate"]), [], "auth.invalid_audience"),
        (.authenticated(ReviewedUser(username: "u"), audiences: ["x", "b"]), ["a", "b"], "u"),
        (.authenticated(ReviewedUser(username: "u"), audiences: ["x"]), ["a", "b"], "auth.invalid_audience"),
    ]

    @Test(arguments: verdicts) func audiencesHaveToMeet(
        status: TokenReviewStatus, audiences: [String], expected: String
    ) {
        switch TokenReviewPolicy(audiences: audiences).verdict(status) {
        case .known(let user, _): #expect(user.username == expected)
        case .refused(let code): #expect(code.rawValue == expected)
        case .unavailable: Issue.record("an answer is never no answer")
        }
    }

    @Test func audiencesOfTwoPlacesAreAllTaken() {
        let (left, right) = (TokenReviewPolicy(audiences: ["b", "a"]), TokenReviewPolicy(audiences: ["b", "c"]))
        #expect(TokenReviewPolicy.union(left, right)?.audiences == ["a", "b", "c"])
        #expect(TokenReviewPolicy.union(nil, right) == right)
        #expect(TokenReviewPolicy.union(left, nil) == left)
        #expect(TokenReviewPolicy.union(nil, nil) == nil)
        #expect(TokenReviewPolicy().audiences == ["tollgate"])
    }

    static let owners: [(JSONObject, String?)] = [
        (["iss": "https://c", "sub": "system:serviceaccount:a:b"], "https://c"),
        (["iss": "https://c", "sub": "someone"], nil),
        (["iss": "", "sub": "system:serviceaccount:a:b"], nil),
        (["sub": "system:serviceaccount:a:b"], nil),
        (["iss": 5, "sub": "system:serviceaccount:a:b"], nil),
    ]

    @Test(arguments: owners) func theOwnTokenSaysWhoTheClusterIs(claims: JSONObject, expected: String?) throws {
        let token = try TokenForge.token(header: ["alg": "RS256"], claims: .object(claims), key: nil) + "c2ln"
        #expect(ServiceAccountToken.issuer(of: Redacted(token + "\n")) == expected)
    }

    @Test func otherTextsSayNothing() {
        for text in ["", "a", "a.b.c", "..", String(repeating: "a", count: 100_000)] {
            #expect(ServiceAccountToken.issuer(of: Redacted(text)) == nil)
        }
    }
}
