// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A rule for the bytes of a text: as the regular expression that the API server checks, and as the function that is run here.
///
/// A test holds both against each other.
package struct TextPattern: Sendable {
    /// The regular expression, anchored on both ends.
    package let expression: String
    /// What such a text is, with an example: what an error message asks for.
    package let shape: String
    /// Whether a text is one.
    package let accepts: @Sendable (String) -> Bool

    /// Takes the two forms and the words for it.
    package init(_ expression: String, shape: String, accepts: @escaping @Sendable (String) -> Bool) {
        self.expression = expression
        self.shape = shape
        self.accepts = accepts
    }
}

extension TextPattern {
    private static func isLowerOrDigit(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || isDigit(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isWord(_ byte: UInt8) -> Bool { isLowerOrDigit(byte) || (0x41...0x5A).contains(byte) }

    /// Whether the text has a length within the bounds and nothing but bytes of that class.
    private static func all(_ text: String, _ length: ClosedRange<Int>, _ belongs: (UInt8) -> Bool) -> Bool {
        length.contains(text.utf8.count) && text.utf8.allSatisfy(belongs)
    }

    /// A duration: `0s` to `9999999h`.
    package static let duration = TextPattern(
        "^(0|[1-9][0-9]{0,6})(s|m|h)$", shape: "a duration: digits and one of s, m, h, such as 30s"
    ) { text in
        guard let unit = text.utf8.last, [0x73, 0x6D, 0x68].contains(unit) else { return false }
        let digits = text.utf8.dropLast()
        return (1...7).contains(digits.count) && digits.allSatisfy(isDigit)
            && (digits.count == 1 || digits.first != 0x30)
    }

    /// The name of an issuer.
    package static let issuerName = TextPattern(
        "^[a-z0-9-]{1,63}$", shape: "1 to 63 lower-case letters, digits and '-', such as main"
    ) { all($0, 1...63) { isLowerOrDigit($0) || $0 == 0x2D } }

    /// The key of a Secret or ConfigMap.
    package static let dataKey = TextPattern(
        "^[-._a-zA-Z0-9]{1,253}$", shape: "a key: 1 to 253 letters, digits, '-', '_' and '.', such as token"
    ) { all($0, 1...253) { isWord($0) || [0x2D, 0x2E, 0x5F].contains($0) } }

    /// The name of a plan.
    package static let planName = TextPattern(
        "^[a-z][a-z0-9_-]{0,62}$",
        shape: "a plan name: a lower-case letter, then letters, digits, '_' and '-', such as team"
    ) { text in
        guard let first = text.utf8.first, isLowerOrDigit(first), !isDigit(first) else { return false }
        return all(text, 1...63) { isLowerOrDigit($0) || $0 == 0x5F || $0 == 0x2D }
    }

    /// One label of a DNS name (RFC 1123): a namespace.
    package static let dnsLabel = TextPattern(
        "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        shape: "1 to 63 lower-case letters, digits and '-', not at the ends, such as acme"
    ) { isLabel($0.utf8) }

    private static func isLabel(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
        return isLowerOrDigit(first) && isLowerOrDigit(last) && bytes.allSatisfy { isLowerOrDigit($0) || $0 == 0x2D }
    }

    /// A DNS name in lower case (RFC 1123 subdomain): the name of an object.
    package static let dnsSubdomain = TextPattern(
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        shape: "lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, such as acme-api"
    ) { text in
        text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, let last = part.last else { return false }
            return isLowerOrDigit(first) && isLowerOrDigit(last) && part.allSatisfy { isLowerOrDigit($0) || $0 == 0x2D }
        }
    }

    /// A scope that may be granted.
    package static let scope = TextPattern(
        "^([A-Za-z0-9_.-]{1,64}:){0,3}[A-Za-z0-9_.-]{1,64}$|^([A-Za-z0-9_.-]{1,64}:){1,3}\\*$",
        shape: "a scope: 1 to 4 parts joined by ':', the last of several may be '*', such as tasks:read"
    ) { text in
        let parts = text.utf8.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count) else { return false }
        return parts.enumerated().allSatisfy { index, part in
            if index > 0, index == parts.count - 1, part.elementsEqual([0x2A]) { return true }
            return (1...64).contains(part.count)
                && part.allSatisfy { isWord($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
        }
    }

    /// The methods of a route.
    package static let method = TextPattern(
        "^(\\*|[A-Z]{1,32})$", shape: "an HTTP method in upper case such as GET, or \"*\""
    ) { text in text == "*" || all(text, 1...32) { (0x41...0x5A).contains($0) } }

    /// A text that begins with a slash.
    package static let path = TextPattern(
        "^/[^\\s?#]*$", shape: "a path pattern that begins with '/', such as /v1/items/{id}"
    ) { text in
        text.utf8.first == 0x2F
            && text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0 != "?" && $0 != "#" }
    }

    /// A path below a folder.
    package static let relativePath = TextPattern(
        "^[^/]", shape: "a relative path, without '/' in front, such as reports/build"
    ) { !$0.isEmpty && $0.utf8.first != 0x2F }

    /// The provider's identifiers.
    package static func prefixed(_ prefix: String) -> TextPattern {
        TextPattern("^\(prefix)", shape: "an identifier that begins with \(prefix)") { $0.hasPrefix(prefix) }
    }

    /// The name of an HTTP header.
    package static let headerName = TextPattern(
        "^[A-Za-z0-9-]{1,64}$", shape: "a header name: letters, digits and '-', such as X-Tollgate-Assertion"
    ) { all($0, 1...64) { isWord($0) || $0 == 0x2D } }

    /// The address of a key set.
    package static let webURL = TextPattern(
        "^https?://[^\\s@/?#]+(/[^\\s#]*)?$",
        shape: "an http or https URL without user information, such as https://id.example/keys"
    ) { text in
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(scheme.count)
        guard !rest.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0 == "#" }) else { return false }
        let host = rest.prefix { $0 != "/" }
        return !host.isEmpty && !host.contains { $0 == "@" || $0 == "?" }
    }

    /// An attribute of a policy rule.
    package static let ruleAttribute = TextPattern(
        "^(request\\.(method|path|host|scheme|remoteIp|time|headers\\.[a-z0-9-]+|query\\.\\S+)"
            + "|principal\\.(id|tenant|project|auth_source|platform|roles|scopes|claims\\.\\S+)"
            + "|resource\\.(type|id|owner|tenant|project)|action|tool\\.id)$",
        shape: "a known attribute, such as request.method, principal.roles or resource.owner"
    ) { text in
        if knownAttributes.contains(text) { return true }
        if text.hasPrefix("request.headers.") {
            return all(String(text.dropFirst(16)), 1...256) { isLowerOrDigit($0) || $0 == 0x2D }
        }
        guard let open = ["request.query.", "principal.claims."].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(open.count)
        return !rest.isEmpty && !rest.unicodeScalars.contains { $0.properties.isWhitespace }
    }

    private static let knownAttributes: Set<String> = [
        "request.method", "request.path", "request.host", "request.scheme", "request.remoteIp", "request.time",
        "principal.id", "principal.tenant", "principal.project", "principal.auth_source", "principal.platform",
        "principal.roles", "principal.scopes", "resource.type", "resource.id", "resource.owner", "resource.tenant",
        "resource.project", "action", "tool.id",
    ]
}
