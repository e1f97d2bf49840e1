// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials
internal import HTTPTypes

/// The headers that tell a workload who is calling.
package struct IdentityHeaders: Sendable {
    /// One header: the text to send, empty where there is nothing to say.
    package struct Entry: Sendable {
        let name: HTTPField.Name
        /// As documented.
        package let text: String
        package let value: String
    }

    /// Always all of them, in the order of the documentation.
    package var entries: [Entry] {
        zip(Self.names, values).map { Entry(name: $0.0, text: $0.1, value: $1) }
    }
    /// The texts to send, in the order of `entries`.
    let values: [String]
    /// How many were over 4 KiB and are sent empty.
    package let tooLong: Int

    /// The set of a principal; for an anonymous one all are empty.
    package init(_ principal: Principal) {
        guard !principal.isAnonymous else {
            self = Self.anonymous
            return
        }
        var dropped = 0
        func bounded(_ value: String) -> String {
            guard value.utf8.count > HTTPLimits.identityHeaderBytes else { return value }
            dropped += 1
            return ""
        }
        values = [
            bounded(HeaderText.encode(principal.username ?? principal.subject)),
            bounded(HeaderText.encode(principal.emailVerified ? principal.email ?? "" : "")),
            bounded(HeaderText.list(principal.groups, separator: UInt8(ascii: ","))),
            bounded(HeaderText.encode(principal.subject)),
            bounded(HeaderText.encode(principal.tenantID ?? "")),
            bounded(HeaderText.list(principal.roles, separator: UInt8(ascii: ","))),
            bounded(HeaderText.list(principal.scopes, separator: UInt8(ascii: " "))),
            "", "",
        ]
        tooLong = dropped
    }

    private init(values: [String]) {
        self.values = values
        tooLong = 0
    }

    static let names: [(HTTPField.Name, String)] = [
        (.constant("X-Auth-Request-User"), "X-Auth-Request-User"),
        (.constant("X-Auth-Request-Email"), "X-Auth-Request-Email"),
        (.constant("X-Auth-Request-Groups"), "X-Auth-Request-Groups"),
        (.constant("X-Tollgate-Subject"), "X-Tollgate-Subject"),
        (.constant("X-Tollgate-Tenant"), "X-Tollgate-Tenant"),
        (.constant("X-Tollgate-Roles"), "X-Tollgate-Roles"),
        (.constant("X-Tollgate-Scopes"), "X-Tollgate-Scopes"),
        (.constant("X-Tollgate-Plan"), "X-Tollgate-Plan"),
        (.constant("X-Tollgate-Credits-Remaining"), "X-Tollgate-Credits-Remaining"),
    ]

    /// Every header, empty.
    package static let anonymous = IdentityHeaders(values: names.map { _ in "" })

    /// Headers that are never set in an answer and could be taken for ours: they are removed from what goes upstream.
    package static let foreign = [
        "X-Tollgate-Assertion",
        "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
        "X-Forwarded-Access-Token",
    ]

    /// What a proxy must take out of the request before it goes upstream: the header of the credential unless that is passed on, every
    /// identity header that is not set, and the foreign ones.
    package func removals(credentialHeader: String?, forwardsCredential: Bool) -> [String] {
        var names: [String] = []
        if let credentialHeader, !forwardsCredential { names.append(credentialHeader) }
        for (index, value) in values.enumerated() where value.isEmpty { names.append(Self.names[index].1) }
        return names + Self.foreign
    }
}

/// Text as header values carry it.
package enum HeaderText {
    /// Percent-encodes `%` and every byte outside 0x20–0x7e.
    package static func encode(_ text: String) -> String {
        guard text.utf8.contains(where: { needsEscape($0) }) else { return text }
        var bytes: [UInt8] = []
        append(text, also: nil, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Joins members, sorted by bytes; the separator is encoded inside a member.
    package static func list(_ members: [String], separator: UInt8) -> String {
        if members.isEmpty { return "" }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(members.reduce(0) { $0 + $1.utf8.count + 1 })
        for member in isSorted(members) ? members : ASCII.sortedByBytes(members) {
            if !bytes.isEmpty { bytes.append(separator) }
            append(member, also: separator, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isSorted(_ members: [String]) -> Bool {
        for index in members.indices.dropFirst()
        where members[index].utf8.lexicographicallyPrecedes(members[index - 1].utf8) { return false }
        return true
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "%")
    }

    private static func append(_ text: String, also separator: UInt8?, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            guard needsEscape(byte) || byte == separator else {
                bytes.append(byte)
                continue
            }
            let digits: StaticString = "0123456789ABCDEF"
            bytes.append(UInt8(ascii: "%"))
            bytes.append(digits.utf8Start[Int(byte >> 4)])
            bytes.append(digits.utf8Start[Int(byte & 0x0F)])
        }
    }
}
