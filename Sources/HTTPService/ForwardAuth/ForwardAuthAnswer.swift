// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import HTTPTypes
package import Pipeline

/// What a proxy gets for a decision: a pure function of the decision and the door.
package struct ForwardAuthAnswer: Sendable {
    package typealias Outcome = RefusalOutcome

    /// The status that goes out.
    package let status: Int
    let fields: HTTPFields
    /// Identity headers that were too long and went out empty.
    package let tooLong: Int

    /// The headers as names and values, for those who know no HTTP library.
    package var headers: [(name: String, value: String)] { fields.map { ($0.name.rawName, $0.value) } }

    /// The status at a door: nginx and oauth2 pass on 2xx, 401, 403 and 5xx only, so that every other refusal is 403 there.
    package static func status(_ real: Int, door: Door) -> Int {
        switch (door, real) {
        case (.oauth2, 200): 202
        case (.nginx, 400..<500), (.oauth2, 400..<500): real == 401 ? 401 : 403
        default: real
        }
    }

    /// The answer of an allowed request: who is calling, what the account has left, and which request limits were met.
    package static func allowed(
        door: Door, principal: Principal, credentialHeader: String?, forwardsCredential: Bool,
        limits: RateLimitReport? = nil, entitlement: Entitlement? = nil, requestID: String
    ) -> ForwardAuthAnswer {
        let identity = IdentityHeaders(principal, entitlement: entitlement)
        var fields = Self.fields(identity, requestID: requestID)
        if door == .envoy {
            for (index, value) in identity.values.enumerated() where value.isEmpty {
                fields[IdentityHeaders.fieldNames[index]] = nil
            }
            let removals = identity.removals(
                credentialHeader: credentialHeader, forwardsCredential: forwardsCredential)
            fields[.envoyRemove] = removals.joined(separator: ",")
        }
        if let limits { fields.append(limits) }
        return ForwardAuthAnswer(status: status(200, door: door), fields: fields, tooLong: identity.tooLong)
    }

    /// What every allowed answer carries. One literal, because adding fields one by one costs several times as much.
    private static func fields(_ identity: IdentityHeaders, requestID: String) -> HTTPFields {
        let (names, values) = (IdentityHeaders.fieldNames, identity.values)
        return [
            .cacheControl: "no-store", names[0]: values[0], names[1]: values[1], names[2]: values[2],
            names[3]: values[3], names[4]: values[4], names[5]: values[5], names[6]: values[6],
            names[7]: values[7], names[8]: values[8], .requestID: requestID,
        ]
    }

    /// The answer of a refused request: why. The body, the error envelope, is the caller's.
    package static func refused(
        door: Door, outcome: Outcome, limits: RateLimitReport? = nil, requestID: String
    ) -> ForwardAuthAnswer {
        var fields = HTTPFields()
        fields.reserveCapacity(10)
        outcome.eachHeader(requestID: requestID) { fields.append(HTTPField(name: $0.field, value: $1)) }
        if let limits { fields.append(limits) }
        return ForwardAuthAnswer(status: status(outcome.status, door: door), fields: fields, tooLong: 0)
    }
}

extension IdentityHeaders {
    /// The names, as the HTTP library knows them.
    static let fieldNames = names.compactMap { HTTPField.Name($0) }
}

extension RefusalOutcome.Header {
    /// The name, as the HTTP library knows it.
    fileprivate var field: HTTPField.Name {
        switch self {
        case .cacheControl: .cacheControl
        case .reason: .authReason
        case .message: .extAuthReason
        case .realStatus: .authStatus
        case .challenge: .wwwAuthenticate
        case .retryAfter: .retryAfter
        case .requestID: .requestID
        }
    }
}
