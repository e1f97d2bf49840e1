// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Finds the one credential of a request: the first source that is present, and no other.
package enum CredentialExtractor {
    /// Searches `X-API-Key`, `Authorization` and, on WebSocket upgrades only, `Sec-WebSocket-Protocol` and the query.
    ///
    /// - Parameters:
    ///   - query: what stands behind the `?`, still percent-encoded.
    /// - Returns: a refusal with `request.duplicate_header`, `auth.invalid_scheme`, `auth.missing_token` (a scheme without token) or
    ///   `auth.invalid_token` (over 8192 bytes, or no stored token in `X-API-Key`).
    package static func extract(
        headers: HeaderList, query: String?, isWebSocketUpgrade: Bool, prefixes: TokenPrefixes
    ) -> CredentialExtraction {
        var apiKey: String?
        var authorization: String?
        for field in headers.fields {
            // Lengths are compared first: on this path most headers are others.
            switch field.name.utf8.count {
            case 13 where field.name == "authorization":
                guard authorization == nil else { return duplicate(field.name) }
                authorization = field.value
            case 9 where field.name == "x-api-key":
                guard apiKey == nil else { return duplicate(field.name) }
                apiKey = field.value
            default: continue
            }
        }
        if let apiKey {
            let text = ASCII.trimmed(apiKey)
            if !text.isEmpty {
                guard prefixes.kind(of: text) != nil else { return .refused(Refusal(.authInvalidToken)) }
                return found(.apiKeyHeader, text)
            }
        }
        if let authorization, let extraction = bearer(authorization) { return extraction }
        guard isWebSocketUpgrade else { return .none }
        for line in headers.all("sec-websocket-protocol") {
            for entry in line.utf8.split(separator: UInt8(ascii: ",")) {
                let text = ASCII.trimmed(Substring(entry))
                if text.utf8.starts(with: "bearer.".utf8), text.utf8.count > 7 {
                    return found(.webSocketProtocol, String(Substring(text.utf8.dropFirst(7))))
                }
            }
        }
        return query.flatMap(fromQuery) ?? .none
    }

    /// Whether a request asks for a WebSocket: `Upgrade: websocket`, a `Sec-WebSocket-Key`, or extended CONNECT (RFC 8441).
    package static func isWebSocketUpgrade(method: String, headers: HeaderList) -> Bool {
        for field in headers.fields {
            switch field.name {
            case "upgrade":
                let names = field.value.utf8.split(separator: UInt8(ascii: ","))
                if names.contains(where: { isWebSocket(Substring($0)) }) { return true }
            case "sec-websocket-key":
                if !ASCII.trimmed(field.value).isEmpty { return true }
            case ":protocol":
                if ASCII.lowercased(method) == "connect", isWebSocket(field.value) { return true }
            default: continue
            }
        }
        return false
    }

    private static func isWebSocket(_ text: some StringProtocol) -> Bool {
        ASCII.lowercased(ASCII.trimmed(text)) == "websocket"
    }

    /// The credential of an `Authorization` value; nil when it is blank.
    private static func bearer(_ value: String) -> CredentialExtraction? {
        var value = value
        let parsed: CredentialExtraction? = value.withUTF8 { bytes in
            var end = bytes.count
            while end > 0, ASCII.isWhiteSpace(bytes[end - 1]) { end -= 1 }
            var position = 0
            while position < end, ASCII.isWhiteSpace(bytes[position]) { position += 1 }
            guard position < end else { return nil }
            let scheme = position
            while position < end, !isBlank(bytes[position]) { position += 1 }
            guard isBearer(UnsafeBufferPointer(rebasing: bytes[scheme..<position])) else {
                return .refused(Refusal(.authInvalidScheme))
            }
            while position < end, isBlank(bytes[position]) { position += 1 }
            guard position < end else { return .refused(Refusal(.authMissingToken)) }
            for byte in bytes[position..<end] where isBlank(byte) { return .refused(Refusal(.authInvalidScheme)) }
            return found(.authorization, String(decoding: bytes[position..<end], as: UTF8.self))
        }
        return parsed
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isBearer(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count == 6 else { return false }
        let name: StaticString = "bearer"
        for index in 0..<6 where bytes[index] | 0x20 != name.utf8Start[index] { return false }
        return true
    }

    /// `token`, then `access_token`; the first that is not empty.
    private static func fromQuery(_ query: String) -> CredentialExtraction? {
        let items = query.utf8.split(separator: UInt8(ascii: "&"))
        for name in ["token=", "access_token="] {
            for item in items where item.starts(with: name.utf8) {
                let value = item.dropFirst(name.utf8.count)
                guard !value.isEmpty else { continue }
                // Bytes that are no text match no token; they are not mended into some other text.
                guard let bytes = percentDecoded(value), let text = String(validating: bytes, as: UTF8.self) else {
                    return .refused(Refusal(.authInvalidToken))
                }
                return found(.query, text)
            }
        }
        return nil
    }

    private static func percentDecoded(_ text: Substring.UTF8View.SubSequence) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let first = iterator.next(), let second = iterator.next(), let high = Hex.digitValue(first),
                let low = Hex.digitValue(second)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func found(_ source: Credential.Source, _ text: String) -> CredentialExtraction {
        guard text.utf8.count <= TokenText.maximumBytes else { return .refused(Refusal(.authInvalidToken)) }
        return .found(Credential(source: source, text: text))
    }

    private static func duplicate(_ name: String) -> CredentialExtraction {
        .refused(Refusal(.requestDuplicateHeader, details: ["header": .string(name)]))
    }
}
