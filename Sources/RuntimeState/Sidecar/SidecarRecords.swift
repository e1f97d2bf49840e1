// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials

/// What a sidecar hands to its operator: entries of its audit trail and uses of credentials.
///
/// ```
/// {"format": "tollgate-records/1", "writer": "shop-7d4f", "entries": [entry of the audit trail],
///  "token_uses": [{"id", "count", "last_used_at", "addresses": []}], "key_uses": [as token_uses],
///  "key_usage": [{"id", "hour", "status", "requests"}]}
/// ```
/// Instants are microseconds since 1970, hours are counted from there.
package struct SidecarRecords: Sendable {
    package static let format = "tollgate-records/1"
    /// Members of each list that are read.
    package static let mostRecords = 1000
    /// Hours before the present one of which requests are counted.
    private static let oldestHours: Int64 = 90 * 24

    /// Who wrote the entries: the name of the sidecar's audit writer.
    package var writer: String
    /// Entries as the trail of the sidecar has them.
    package var entries: [JSONValue]
    package var tokenUses: [CredentialUse]
    package var keyUses: [CredentialUse]
    package var keyUsage: [APIKeyUsageRow]

    package init(
        writer: String = "", entries: [JSONValue] = [], tokenUses: [CredentialUse] = [], keyUses: [CredentialUse] = [],
        keyUsage: [APIKeyUsageRow] = []
    ) {
        self.writer = writer
        self.entries = entries
        self.tokenUses = tokenUses
        self.keyUses = keyUses
        self.keyUsage = keyUsage
    }

    package func encoded() -> [UInt8] {
        let object: JSONObject = [
            "format": .string(Self.format), "writer": .string(writer), "entries": .array(entries),
            "token_uses": .array(tokenUses.map(Self.use)), "key_uses": .array(keyUses.map(Self.use)),
            "key_usage": .array(
                keyUsage.map { row in
                    [
                        "id": .string(row.id), "hour": .int(row.hour), "status": .int(Int64(row.status)),
                        "requests": .int(row.requests),
                    ]
                }),
        ]
        return JSONValue.object(object).encoded()
    }

    private static func use(_ use: CredentialUse) -> JSONValue {
        [
            "id": .string(use.identifier), "count": .int(use.count), "last_used_at": .int(use.lastUsedAt.microseconds),
            "addresses": .strings(use.addresses.map(\.description)),
        ]
    }

    /// Reads a report. A use lies between 1970 and now whatever it says, and requests of hours that are too long ago or to come are left out.
    ///
    /// - Throws: `request.invalid` naming the first bad member.
    package init(_ object: JSONObject, now: Timestamp) throws(Refusal) {
        do throws(SidecarDocumentError) {
            let wire = WireObject(object)
            let format = try wire.text("format")
            guard format == Self.format else {
                throw wire.fault("format", "is not \(Self.format)")
            }
            for name in ["entries", "token_uses", "key_uses", "key_usage"]
            where try wire.list(name).count > Self.mostRecords {
                throw wire.fault(name, "has more than \(Self.mostRecords) members")
            }
            self.init(
                writer: String(try wire.text("writer").prefix(64)), entries: try wire.list("entries"),
                tokenUses: try wire.each("token_uses") { wire throws(SidecarDocumentError) in
                    try Self.use(wire, now: now)
                },
                keyUses: try wire.each("key_uses") { wire throws(SidecarDocumentError) in
                    try Self.use(wire, now: now)
                },
                keyUsage: try wire.each("key_usage") { wire throws(SidecarDocumentError) in
                    let (hour, status) = (try wire.integer("hour"), try wire.integer("status"))
                    guard (0...1_000_000_000).contains(hour), (100...599).contains(status) else {
                        throw wire.fault("hour", "is no hour, or the status is none")
                    }
                    return APIKeyUsageRow(
                        id: try wire.text("id"), tenantID: nil, hour: hour, status: Int(status),
                        requests: try Self.count(wire, "requests"))
                })
            let present = now.seconds / 3600
            keyUsage.removeAll { !(present - Self.oldestHours...present + 1).contains($0.hour) }
        } catch {
            throw Refusal(
                .requestInvalid, message: "\(error)",
                details: ["fields": [["field": .string(error.place), "reason": .string(error.message)]]])
        }
    }

    private static func use(_ wire: WireObject, now: Timestamp) throws(SidecarDocumentError) -> CredentialUse {
        let lastUsedAt = Timestamp(microseconds: max(0, try wire.integer("last_used_at")))
        return CredentialUse(
            identifier: try wire.text("id"), count: try count(wire, "count"), lastUsedAt: min(lastUsedAt, now),
            addresses: try wire.texts("addresses").prefix(16).compactMap { IPAddress($0) })
    }

    private static func count(_ wire: WireObject, _ name: String) throws(SidecarDocumentError) -> Int64 {
        let number = try wire.integer(name)
        guard (1...1_000_000_000).contains(number) else { throw wire.fault(name, "is not from 1 to 1000000000") }
        return number
    }
}
