// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Pipeline
internal import SwiftProtobuf

/// What Envoy is told: a pure function of the decision.
enum CheckAnswer {
    typealias Response = Envoy_Service_Auth_V3_CheckResponse
    private typealias HeaderOption = Envoy_Config_Core_V3_HeaderValueOption

    /// The answer of an allowed request.
    ///
    /// - Returns: the answer, and how many identity headers were too long and are left out.
    static func allowed(_ decision: Decision) -> (response: Response, tooLong: Int) {
        let identity = IdentityHeaders(decision.principal, entitlement: decision.entitlement)
        var answer = Envoy_Service_Auth_V3_OkHttpResponse()
        for (index, value) in identity.values.enumerated() where !value.isEmpty {
            answer.headers.append(overwriting(IdentityHeaders.names[index], value))
        }
        answer.headersToRemove = identity.removals(
            credentialHeader: decision.credentialHeader, forwardsCredential: decision.forwardsCredential)
        decision.limits?.eachHeader { answer.responseHeadersToAdd.append(overwriting($0, $1)) }
        answer.responseHeadersToAdd.append(overwriting("X-Request-Id", decision.requestID))
        var response = Response()
        response.status = .init()
        response.okResponse = answer
        response.dynamicMetadata = metadata(decision)
        return (response, identity.tooLong)
    }

    /// The answer of a refused request.
    ///
    /// - Parameter statusCode: of `google.rpc.Code`; not 0.
    static func denied(
        _ refusal: Refusal, statusCode: Int32, limits: RateLimitReport?, requestID: String
    ) -> Response {
        var answer = Envoy_Service_Auth_V3_DeniedHttpResponse()
        answer.status.code = Int32(refusal.status)
        RefusalOutcome(refusal).eachHeader(requestID: requestID) {
            answer.headers.append(overwriting($0.rawValue, $1))
        }
        limits?.eachHeader { answer.headers.append(overwriting($0, $1)) }
        answer.headers.append(overwriting("Content-Type", "application/json"))
        answer.body = String(decoding: refusal.envelope(requestID: requestID).encoded(), as: UTF8.self)
        var response = Response()
        response.status.code = statusCode
        response.status.message = refusal.code.rawValue
        response.deniedResponse = answer
        return response
    }

    private static func overwriting(_ name: String, _ value: String) -> HeaderOption {
        var option = HeaderOption()
        option.header.key = name
        option.header.value = value
        option.appendAction = .overwriteIfExistsOrAdd
        return option
    }

    /// What other filters of the proxy may know: `tollgate` with the facts of the decision, null where there is none.
    private static func metadata(_ decision: Decision) -> Google_Protobuf_Struct {
        let principal = decision.principal
        let facts: [String: Google_Protobuf_Value] = [
            "subject": text(principal.isAnonymous ? nil : principal.subject), "tenant": text(principal.tenantID),
            "account": text(principal.accountID), "auth_source": text(principal.authSource.rawValue),
            "roles": texts(principal.roles), "scopes": texts(principal.scopes),
            "plan": text(decision.entitlement?.plan),
            "auth_config": text(decision.authConfig), "permission": text(decision.policy?.permission),
            "decision_id": text(decision.requestID), "reservation_id": text(decision.entitlement?.reservation?.id),
        ]
        return Google_Protobuf_Struct(fields: ["tollgate": .init(structValue: .init(fields: facts))])
    }

    private static func text(_ text: String?) -> Google_Protobuf_Value {
        text.map { Google_Protobuf_Value(stringValue: $0) } ?? Google_Protobuf_Value(nilLiteral: ())
    }

    private static func texts(_ texts: [String]) -> Google_Protobuf_Value {
        .init(listValue: .with { $0.values = texts.map { Google_Protobuf_Value(stringValue: $0) } })
    }
}
