// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Takes secrets out of what is recorded: by the name of a member, and by their shape anywhere in a text.
package struct Redactor: Sendable {
    /// What stands in the place of a secret.
    package static let replacement = "[REDACTED]"

    private let level: RedactionLevel

    package init(level: RedactionLevel) { self.level = level }

    /// The text with every secret in it replaced.
    package func text(_ text: String) -> String {
        guard level != .off else { return text }
        var text = text
        var ranges = text.withUTF8 { SecretShapes.find(in: $0) }
        if level == .secretsAndPersonalData {
            if !ranges.isEmpty { text = Self.replace(ranges, in: text) }
            ranges = text.withUTF8 { PersonalShapes.find(in: $0) }
        }
        return ranges.isEmpty ? text : Self.replace(ranges, in: text)
    }

    /// Whether the value of a member of that name is a secret whatever it looks like.
    package func hides(name: String) -> Bool { level != .off && SecretNames.contains(name) }

    /// The object with the values of secret members replaced, and secrets in texts at every depth.
    package func object(_ object: JSONObject) -> JSONObject {
        // Nearly always there is nothing to hide; then nothing is copied.
        guard level != .off, object.members.contains(where: holdsSecret) else { return object }
        var members = object.members
        for index in members.indices { redact(&members[index]) }
        return JSONObject(uniqueMembers: members)
    }

    private func holdsSecret(_ member: JSONObject.Member) -> Bool {
        SecretNames.contains(member.name) || holdsSecret(member.value)
    }

    private func holdsSecret(_ value: JSONValue) -> Bool {
        switch value {
        case .string(var text):
            text.withUTF8 { bytes in
                !SecretShapes.find(in: bytes).isEmpty
                    || level == .secretsAndPersonalData && !PersonalShapes.find(in: bytes).isEmpty
            }
        case .array(let elements): elements.contains(where: holdsSecret)
        case .object(let object): object.members.contains(where: holdsSecret)
        default: false
        }
    }

    private func redact(_ member: inout JSONObject.Member) {
        if SecretNames.contains(member.name) {
            if !member.value.isNull { member.value = .string(Self.replacement) }
        } else {
            redact(&member.value)
        }
    }

    private func redact(_ value: inout JSONValue) {
        switch value {
        case .string(let text): value = .string(self.text(text))
        case .array(let elements):
            value = .array(
                elements.map { element in
                    var element = element
                    redact(&element)
                    return element
                })
        case .object(let object): value = .object(self.object(object))
        default: break
        }
    }

    private static func replace(_ ranges: [Range<Int>], in text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var position = 0
        for range in ranges {
            result += bytes[position..<range.lowerBound]
            result += replacement.utf8
            position = range.upperBound
        }
        result += bytes[position...]
        return String(decoding: result, as: UTF8.self)
    }
}
