// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
internal import HTTPTypes
package import Pipeline

/// What a proxy gets for a decision: a pure function of the decision and the door.
package struct ForwardAuthAnswer: Sendable {
    /// A refusal as an answer needs it; the code is text, so that codes of every area can be answered.
    package struct Outcome: Sendable {
        /// The real status; 200 when allowed.
        package var status: Int
        package var code: String?
        package var message: String?
        package var retryAfterSeconds: Int64?
        /// The value of `WWW-Authenticate` for 401 and 403.
        package var challenge: String?

        package init(
            status: Int, code: String? = nil, message: String? = nil, retryAfterSeconds: Int64? = nil,
            challenge: String? = nil
        ) {
            self.status = status
            self.code = code
            self.message = message
            self.retryAfterSeconds = retryAfterSeconds
            self.challenge = challenge
        }

        /// The outcome of a refusal, or of being allowed.
        package init(_ refusal: Refusal?) {
            self.init(
                status: refusal?.status ?? 200, code: refusal?.code.rawValue, message: refusal?.message,
                retryAfterSeconds: refusal?.retryAfterSeconds, challenge: refusal?.challenge)
        }
    }

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

    /// The answer of an allowed request: who is calling.
    package static func allowed(
        door: Door, principal: Principal, credentialHeader: String?, forwardsCredential: Bool, requestID: String
    ) -> ForwardAuthAnswer {
        let identity = IdentityHeaders(principal)
        var fields = Self.fields(identity, requestID: requestID)
        if door == .envoy {
            for (index, value) in identity.values.enumerated() where value.isEmpty {
                fields[IdentityHeaders.names[index].0] = nil
            }
            let removals = identity.removals(
                credentialHeader: credentialHeader, forwardsCredential: forwardsCredential)
            fields[.envoyRemove] = removals.joined(separator: ",")
        }
        return ForwardAuthAnswer(status: status(200, door: door), fields: fields, tooLong: identity.tooLong)
    }

    /// What every allowed answer carries. One literal, because adding fields one by one costs several times as much.
    private static func fields(_ identity: IdentityHeaders, requestID: String) -> HTTPFields {
        let (names, values) = (IdentityHeaders.names, identity.values)
        return [
            .cacheControl: "no-store", names[0].0: values[0], names[1].0: values[1], names[2].0: values[2],
            names[3].0: values[3], names[4].0: values[4], names[5].0: values[5], names[6].0: values[6],
            names[7].0: values[7], names[8].0: values[8], .requestID: requestID,
        ]
    }

    /// The answer of a refused request: why. The body, the error envelope, is the caller's.
    package static func refused(door: Door, outcome: Outcome, requestID: String) -> ForwardAuthAnswer {
        var fields = HTTPFields()
        fields.reserveCapacity(10)
        fields.append(HTTPField(name: .cacheControl, value: "no-store"))
        fields.append(HTTPField(name: .authReason, value: outcome.code ?? ""))
        fields.append(HTTPField(name: .extAuthReason, value: HeaderText.encode(outcome.message ?? "")))
        fields.append(HTTPField(name: .authStatus, value: String(outcome.status)))
        if outcome.status == 401 || outcome.status == 403, let challenge = outcome.challenge {
            fields.append(HTTPField(name: .wwwAuthenticate, value: challenge))
        }
        if let seconds = outcome.retryAfterSeconds {
            fields.append(HTTPField(name: .retryAfter, value: String(seconds)))
        }
        fields.append(HTTPField(name: .requestID, value: requestID))
        return ForwardAuthAnswer(status: status(outcome.status, door: door), fields: fields, tooLong: 0)
    }
}
