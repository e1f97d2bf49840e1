// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// How entries look from outside: healing events in their flat form, and entries whole.
package enum HealingView {
    /// What an entry's action begins with when it is a healing event.
    package static let actionPrefix = "healing."

    /// The kinds of healing events.
    package static let kinds = [
        "webhook_received", "decision_skip", "action_dry_run", "action_ok", "action_fail", "ack",
    ]

    /// What is said of any other kind.
    package static let kindsInWords = "must be one of \(kinds.joined(separator: ", "))"

    private static let prefixedKinds = Dictionary(uniqueKeysWithValues: kinds.map { (actionPrefix + $0, $0) })

    /// The actions of healing events.
    package static let actions = kinds.map { actionPrefix + $0 }

    /// The kind of a healing event; nil for every other entry.
    package static func kind(of row: AuditRow) -> String? { prefixedKinds[row.action] }

    /// The flat form of a healing event: `kind`, `ts`, `id`, `request_id`, `actor`, then the members of its metadata; members that are null are
    /// left out. `ts` is a number of Unix seconds; `encoded` writes its six decimals.
    ///
    /// - Returns: nil for every other entry.
    package static func event(of row: AuditRow) -> JSONObject? {
        guard let kind = kind(of: row) else { return nil }
        let entry = entry(row)
        var members = [
            JSONObject.Member(name: "kind", value: .string(kind)),
            // Exact: microseconds of this age lie well below the 53 bits of a double, so its shortest text has these decimals and no others.
            JSONObject.Member(name: "ts", value: .double(Double(row.at.microseconds) / 1_000_000)),
            JSONObject.Member(name: "id", value: .string(row.id)),
        ]
        if let requestID = entry["request_id"], !requestID.isNull {
            members.append(JSONObject.Member(name: "request_id", value: requestID))
        }
        members.append(JSONObject.Member(name: "actor", value: .string(row.actor)))
        let taken: Set<String> = ["kind", "ts", "id", "request_id", "actor"]
        for member in entry["metadata"]?.objectValue?.members ?? [] where !member.value.isNull {
            if !taken.contains(member.name) { members.append(member) }
        }
        return JSONObject(uniqueMembers: members)
    }

    /// The 14 members of any entry.
    package static func entry(_ row: AuditRow) -> JSONObject {
        // A row was made from a canonical line or read from one, so that it always parses.
        (try? JSONParser.parse(row.line))?.objectValue ?? JSONObject()
    }

    /// The compact JSON of an event in its flat form, `ts` with six decimals.
    package static func encoded(_ event: JSONObject) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.raw("{")
        for (index, member) in event.members.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(member.name)
            writer.raw(":")
            if member.name == "ts", case .double(let seconds) = member.value {
                writer.raw(sixDecimals(seconds))
            } else {
                writer.value(member.value)
            }
        }
        writer.raw("}")
        return writer.bytes
    }

    private static func sixDecimals(_ seconds: Double) -> [UInt8] {
        let micros = Int64((seconds * 1_000_000).rounded())
        let (whole, fraction) = micros.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(fraction.magnitude)
        return Array("\(whole).\(String(repeating: "0", count: 6 - digits.utf8.count))\(digits)".utf8)
    }
}
