// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension RequestFields {
    /// `name`, trimmed, 1 to 64 characters without control characters.
    mutating func keyName() -> String? {
        guard let value = value("name") else { return nil }
        let name = ASCII.trimmed(value.stringValue ?? "")
        guard (1...64).contains(name.unicodeScalars.count),
            name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else {
            fault("name", "not a text of 1 to 64 characters")
            return nil
        }
        return name
    }

    /// An identifier of something else: trimmed, 1 to 256 bytes.
    mutating func identifierText(_ name: String) -> String? {
        guard let text = text(name, maximumBytes: 256) else { return nil }
        let trimmed = ASCII.trimmed(text)
        if trimmed.isEmpty { fault(name, "blank") }
        return trimmed
    }

    /// One of the words of an enumeration.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let value = value(name) else { return nil }
        guard let choice = value.stringValue.flatMap({ Choice(rawValue: $0) }) else {
            fault(name, "not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return choice
    }

    mutating func addressBlocks(_ name: String) -> [String] {
        stringSet(name, isValid: { CIDR($0) != nil }, reason: "an address block")
    }

    /// An instant that lies ahead, but not further than the longest life.
    mutating func instantAhead(_ name: String, now: Timestamp) -> Timestamp? {
        guard let value = value(name) else { return nil }
        let latest = now.adding(seconds: ServiceTokenRules.lifetimeSeconds.upperBound)
        guard let instant = value.stringValue.flatMap({ Timestamp(rfc3339: $0) }), instant > now, instant <= latest
        else {
            fault(name, "not an RFC 3339 instant with a zone that lies ahead, at most ten years")
            return nil
        }
        return instant
    }

    /// When a new key expires, in one of three forms.
    mutating func expiry(now: Timestamp) -> Timestamp? {
        let forms = ["expires_in_seconds", "expires_in_days", "expires_at"].filter { value($0) != nil }
        for form in forms.dropFirst() { fault(form, "not together with \(forms[0])") }
        if let seconds = integer("expires_in_seconds", in: ServiceTokenRules.lifetimeSeconds) {
            return now.adding(seconds: seconds)
        }
        if let days = integer("expires_in_days", in: 1...3650) { return now.adding(seconds: days * 86_400) }
        return instantAhead("expires_at", now: now)
    }
}
