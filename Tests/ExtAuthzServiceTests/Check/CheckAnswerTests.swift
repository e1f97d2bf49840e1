// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import SwiftProtobuf
internal import Testing

@testable import ExtAuthzService

@Suite struct CheckAnswerTests {
    private typealias Option = Envoy_Config_Core_V3_HeaderValueOption

    private func decision(_ change: (inout Decision) -> Void = { _ in }) -> Decision {
        var decision = Door.allowed(DecisionInput(door: .grpc, requestID: "request-1"))
        change(&decision)
        return decision
    }

    private func pairs(_ options: [Envoy_Config_Core_V3_HeaderValueOption]) -> [String: String] {
        Dictionary(options.map { ($0.header.key, $0.header.value) }) { $0 + "|" + $1 }
    }

    @Test func overwritesWhatItSetsAndRemovesTheRest() {
        let response = CheckAnswer.allowed(decision()).response
        #expect(response.status.code == 0)
        let ok = response.okResponse
        #expect(
            pairs(ok.headers) == [
                "X-Auth-Request-User": "ci", "X-Tollgate-Subject": "ci", "X-Tollgate-Tenant": "acme",
                "X-Tollgate-Roles": "a%2Cb,editor", "X-Tollgate-Scopes": "tasks:read tasks:write",
            ])
        #expect((ok.headers + ok.responseHeadersToAdd).allSatisfy { $0.appendAction == .overwriteIfExistsOrAdd })
        #expect(
            ok.headersToRemove == [
                "authorization", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Tollgate-Plan",
                "X-Tollgate-Credits-Remaining", "X-Tollgate-Assertion", "X-Forwarded-User", "X-Forwarded-Email",
                "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token",
            ])
        #expect(Set(ok.headers.map(\.header.key)).isDisjoint(with: ok.headersToRemove))
        #expect(pairs(ok.responseHeadersToAdd) == ["X-Request-Id": "request-1"])
    }

    @Test func leavesTheCredentialWhereItIsPassedOnOrCameInNoHeader() {
        let passedOn = CheckAnswer.allowed(decision { $0.forwardsCredential = true }).response.okResponse
        #expect(!passedOn.headersToRemove.contains("authorization"))
        let cookie = CheckAnswer.allowed(decision { $0.credentialHeader = nil }).response.okResponse
        #expect(!cookie.headersToRemove.contains("authorization"))
    }

    @Test func saysNothingOfNobodyAndRemovesEveryName() {
        let ok = CheckAnswer.allowed(decision { $0.principal = .anonymous }).response.okResponse
        #expect(ok.headers.isEmpty)
        #expect(Set(IdentityHeaders.names).isSubset(of: ok.headersToRemove))
    }

    @Test func tellsOtherFiltersTheFacts() throws {
        let facts = try #require(
            CheckAnswer.allowed(decision()).response.dynamicMetadata.fields["tollgate"]?.structValue.fields)
        #expect(
            Set(facts.keys) == [
                "subject", "tenant", "account", "auth_source", "roles", "scopes", "plan", "auth_config", "permission",
                "decision_id", "reservation_id",
            ])
        #expect(facts["subject"]?.stringValue == "ci")
        #expect(facts["tenant"]?.stringValue == "acme")
        #expect(facts["account"]?.stringValue == "acme-account")
        #expect(facts["auth_source"]?.stringValue == "service_token")
        #expect(facts["roles"]?.listValue.values.map(\.stringValue) == ["editor", "a,b"])
        #expect(facts["auth_config"]?.stringValue == "platform/main")
        #expect(facts["permission"]?.stringValue == "tasks:read")
        #expect(facts["decision_id"]?.stringValue == "request-1")
        #expect(facts["plan"]?.kind == .nullValue(.nullValue))
        #expect(facts["reservation_id"]?.kind == .nullValue(.nullValue))
    }

    @Test func tellsPlanCreditsAndReservation() throws {
        let response = CheckAnswer.allowed(
            decision {
                $0.granted = GrantedEntitlement(
                    Entitlement(
                        account: "acme", key: "k", plan: "pro", remainingMicroCredits: 4_250_000,
                        reservation: .init(
                            id: "r-1", heldMicroCredits: 750_000, expiresAt: Timestamp(seconds: 1_772_366_700))))
            }
        ).response
        let headers = pairs(response.okResponse.headers)
        #expect(headers["X-Tollgate-Plan"] == "pro")
        #expect(headers["X-Tollgate-Credits-Remaining"] == "4.25")
        #expect(!response.okResponse.headersToRemove.contains("X-Tollgate-Plan"))
        let facts = try #require(response.dynamicMetadata.fields["tollgate"]?.structValue.fields)
        #expect(facts["plan"]?.stringValue == "pro")
        #expect(facts["reservation_id"]?.stringValue == "r-1")
    }

    @Test func tellsTheLimitsOnBothAnswers() {
        let minute = RateLimitReport.Window(name: .minute, limit: 30, remaining: 29, reset: 1_772_366_460)
        let report = RateLimitReport(windows: [minute], told: minute, now: 1_772_366_400)
        let expected = [
            "X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29", "X-RateLimit-Reset": "1772366460",
            "X-RateLimit-Limit-Minute": "30", "X-RateLimit-Remaining-Minute": "29",
            "RateLimit-Policy": "\"minute\";q=30;w=60", "RateLimit": "\"minute\";r=29;t=60",
        ]
        let allowed = pairs(
            CheckAnswer.allowed(decision { $0.limits = report }).response.okResponse.responseHeadersToAdd)
        #expect(allowed.filter { $0.key != "X-Request-Id" } == expected)
        let refusal = Refusal(.rateLimited, retryAfterSeconds: 7)
        let denied = CheckAnswer.denied(refusal, statusCode: 8, limits: report, requestID: "r").deniedResponse
        #expect(pairs(denied.headers).filter { $0.key.contains("RateLimit") } == expected)
        #expect(pairs(denied.headers)["Retry-After"] == "7")
    }

    @Test func refusesWithStatusHeadersAndEnvelope() throws {
        let refusal = Refusal(.authInvalidToken)
        let response = CheckAnswer.denied(refusal, statusCode: 16, limits: nil, requestID: "request-1")
        #expect(response.status.code == 16)
        #expect(response.status.message == "auth.invalid_token")
        let denied = response.deniedResponse
        #expect(denied.status.code == 401)
        #expect(
            pairs(denied.headers) == [
                "Cache-Control": "no-store", "Content-Type": "application/json", "X-Auth-Reason": "auth.invalid_token",
                "X-Auth-Status": "401", "X-Ext-Auth-Reason": HeaderText.encode(refusal.message),
                "WWW-Authenticate": "Bearer error=\"invalid_token\"", "X-Request-Id": "request-1",
            ])
        #expect(denied.body == String(decoding: refusal.envelope(requestID: "request-1").encoded(), as: UTF8.self))
    }
}
