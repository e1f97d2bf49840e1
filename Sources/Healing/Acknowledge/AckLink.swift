// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// A link that acknowledges one set of matchers once, without another credential: base64url(JSON) `.` base64url(HMAC-SHA256 of the first part).
package struct AckLink: Sendable, Hashable {
    /// In seconds: how long a link lives at most.
    package static let maximumLifetime: Int64 = 86_400
    private static let maximumBytes = 16_384

    package var request: AckRequest
    /// Whom it was made for: a channel or a subject.
    package var recipient: String
    package var expiresAt: Timestamp
    /// Names it, so that it is used once.
    package var id: String

    /// Takes the parts.
    package init(request: AckRequest, recipient: String, expiresAt: Timestamp, id: String) {
        self.request = request
        self.recipient = recipient
        self.expiresAt = expiresAt
        self.id = id
    }

    /// The text that goes into a URL.
    package func token(key: Redacted<[UInt8]>) -> String {
        let content: JSONObject = [
            "labels": .object(request.labelsJSON), "duration": .string(request.duration), "for": .string(recipient),
            "exp": .int(expiresAt.seconds), "jti": .string(id),
        ]
        let body = Base64URL.encode(JSONValue.object(content).encoded())
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(body.utf8), using: SymmetricKey(data: key.revealed))
        return body + "." + Base64URL.encode(Array(code))
    }

    /// Reads a text and tests it; the one use is for the caller to test.
    ///
    /// - Throws: `healing.bad_link`, whatever is wrong.
    package static func read(
        _ text: String, key: Redacted<[UInt8]>, maximumSeconds: Int64, at now: Timestamp
    ) throws(Refusal) -> AckLink {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= maximumBytes, parts.count == 2, let code = Base64URL.decode(Array(parts[1])),
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Array(parts[0]), using: SymmetricKey(data: key.revealed)),
            let bytes = Base64URL.decode(Array(parts[0])),
            // Why a signed text is no JSON does not matter: it is no link.
            let content = (try? JSONParser.parse(bytes, limits: .init(depth: 4)))?.objectValue,
            let expiry = content["exp"]?.intValue, let id = content["jti"]?.stringValue,
            let recipient = content["for"]?.stringValue, (1...128).contains(id.utf8.count),
            let labels = content["labels"], let duration = content["duration"], content.count == 5
        else { throw Refusal(.healingBadLink) }
        let expiresAt = Timestamp(seconds: expiry)
        guard now < expiresAt, expiresAt.seconds - now.seconds <= maximumLifetime else {
            throw Refusal(.healingBadLink)
        }
        do {
            let request = try AckRequest.read(
                ["labels": labels, "duration": duration], maximumSeconds: maximumSeconds)
            return AckLink(request: request, recipient: recipient, expiresAt: expiresAt, id: id)
        } catch {
            throw Refusal(.healingBadLink)
        }
    }
}
