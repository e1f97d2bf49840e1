// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPService
internal import Pipeline
internal import Testing

@Suite struct ForwardAuthAnswerTests {
    private func headers(_ answer: ForwardAuthAnswer) -> [String: String] {
        Dictionary(answer.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $0 + "|" + $1 })
    }

    @Test(arguments: [Door.nginx, .traefik, .caddy, .plain, .oauth2])
    func anonymousClearsEveryIdentityHeader(_ door: Door) {
        let answer = ForwardAuthAnswer.allowed(
            door: door, principal: .anonymous, credentialHeader: nil, forwardsCredential: false, requestID: "r-1")
        let headers = headers(answer)
        #expect(answer.status == (door == .oauth2 ? 202 : 200))
        for name in [
            "x-auth-request-user", "x-auth-request-email", "x-auth-request-groups", "x-tollgate-subject",
            "x-tollgate-tenant", "x-tollgate-roles", "x-tollgate-scopes", "x-tollgate-plan",
            "x-tollgate-credits-remaining",
        ] {
            #expect(headers[name] == "", "\(name)")
        }
        #expect(headers["cache-control"] == "no-store")
        #expect(headers["x-request-id"] == "r-1")
    }

    @Test func sortsAndEncodesLists() {
        let answer = ForwardAuthAnswer.allowed(
            door: .nginx, principal: FakeDecider.principal, credentialHeader: "Authorization",
            forwardsCredential: false, requestID: "r-1")
        let headers = headers(answer)
        #expect(headers["x-auth-request-user"] == "CI")
        #expect(headers["x-auth-request-email"] == "ci@example.com")
        #expect(headers["x-auth-request-groups"] == "d%C3%A9v,ops")
        #expect(headers["x-tollgate-roles"] == "a%2Cb,editor")
        #expect(headers["x-tollgate-scopes"] == "tasks:read tasks:write")
        #expect(headers["x-tollgate-tenant"] == "acme")
    }

    @Test func sendsAnUnverifiedEmailToNobody() {
        let principal = Principal(
            subject: "u%1\r\n", identityType: .user, authSource: .jwt, email: "a@b", emailVerified: false)
        let headers = headers(
            ForwardAuthAnswer.allowed(
                door: .caddy, principal: principal, credentialHeader: nil, forwardsCredential: false, requestID: "r"))
        #expect(headers["x-auth-request-email"] == "")
        #expect(headers["x-tollgate-subject"] == "u%251%0D%0A")
    }

    @Test func sendsATooLongHeaderEmptyAndCountsIt() {
        let principal = Principal(
            subject: "u", identityType: .user, authSource: .jwt, groups: (0..<600).map { "group-\($0)" })
        let answer = ForwardAuthAnswer.allowed(
            door: .nginx, principal: principal, credentialHeader: nil, forwardsCredential: false, requestID: "r")
        #expect(headers(answer)["x-auth-request-groups"] == "")
        #expect(answer.tooLong == 1)
    }

    @Test func envoyGetsOnlyWhatIsSetAndAListOfRemovals() {
        let headers = headers(
            ForwardAuthAnswer.allowed(
                door: .envoy, principal: FakeDecider.principal, credentialHeader: "Authorization",
                forwardsCredential: false, requestID: "r"))
        #expect(headers["x-tollgate-plan"] == nil)
        #expect(headers["x-tollgate-subject"] == "ci")
        #expect(
            headers["x-envoy-auth-headers-to-remove"]
                == "Authorization,X-Tollgate-Plan,X-Tollgate-Credits-Remaining,X-Tollgate-Assertion,X-Forwarded-User,X-Forwarded-Email,"
                + "X-Forwarded-Groups,X-Forwarded-Preferred-Username,X-Forwarded-Access-Token")
    }

    @Test func envoyKeepsACredentialThatIsPassedOn() {
        let headers = headers(
            ForwardAuthAnswer.allowed(
                door: .envoy, principal: FakeDecider.principal, credentialHeader: "Authorization",
                forwardsCredential: true, requestID: "r"))
        #expect(headers["x-envoy-auth-headers-to-remove"]?.contains("Authorization") == false)
    }

    @Test(arguments: [
        (Door.nginx, 400, 403), (.nginx, 401, 401), (.nginx, 404, 403), (.nginx, 413, 403), (.nginx, 429, 403),
        (.nginx, 431, 403), (.nginx, 503, 503), (.oauth2, 402, 403), (.oauth2, 503, 503), (.traefik, 429, 429),
        (.envoy, 404, 404), (.plain, 402, 402),
    ])
    func mapsStatusesWhereAProxyCannotPassThemOn(_ door: Door, _ real: Int, _ sent: Int) {
        #expect(ForwardAuthAnswer.status(real, door: door) == sent)
    }

    @Test func tellsTheTruthBesideAMappedStatus() {
        let refusal = Refusal(.authRateLimitedIP, message: "Too many, naïve", retryAfterSeconds: 17)
        let answer = ForwardAuthAnswer.refused(door: .nginx, outcome: .init(refusal), requestID: "r")
        let headers = headers(answer)
        #expect(answer.status == 403)
        #expect(headers["x-auth-status"] == "429")
        #expect(headers["x-auth-reason"] == "auth.rate_limited.ip")
        #expect(headers["x-ext-auth-reason"] == "Too many, na%C3%AFve")
        #expect(headers["retry-after"] == "17")
        #expect(headers["www-authenticate"] == nil)
    }
}
