// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Writes JSON without white space, with the shortest escapes: `\" \\ \b \f \n \r \t`, other controls as `\u00xx` in lower case,
/// everything else raw.
package struct JSONWriter: Sendable {
    /// What was written so far, as UTF-8.
    package private(set) var bytes: [UInt8]

    /// Starts an empty text with room for that many bytes.
    package init(reserving capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Appends text that is JSON already.
    package mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends bytes that are JSON already.
    package mutating func raw(_ other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

    /// Appends a quoted text.
    package mutating func string(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var start = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                escape(byte)
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<utf8.count]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a quoted text, or `null` without one.
    package mutating func string(_ text: String?) {
        if let text { string(text) } else { raw("null") }
    }

    /// Appends an integer.
    package mutating func integer(_ number: Int64) {
        var rest = number.magnitude
        if rest < 10 {
            if number < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(UInt8(ascii: "0") + UInt8(rest))
            return
        }
        // Nineteen digits and a sign: a text in between would cost more than the digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            while rest > 0 {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            if number < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(digits)[start...]))
        }
    }

    /// Appends `true` or `false`.
    package mutating func bool(_ value: Bool) { value ? raw("true") : raw("false") }

    /// Appends a list of quoted texts.
    package mutating func strings(_ texts: [String]) {
        bytes.append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(text)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Appends any value; with `sortedNames`, members are sorted by the UTF-8 bytes of their names at every depth.
    package mutating func value(_ value: JSONValue, sortedNames: Bool = false) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): bool(flag)
        case .int(let number): integer(number)
        case .double(let number): double(number)
        case .string(let text): string(text)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                self.value(element, sortedNames: sortedNames)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object): self.object(object, sortedNames: sortedNames)
        }
    }

    /// Appends an object.
    package mutating func object(_ object: JSONObject, sortedNames: Bool = false) {
        let members =
            sortedNames
            ? object.members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } : object.members
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(member.name)
            bytes.append(UInt8(ascii: ":"))
            value(member.value, sortedNames: sortedNames)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func double(_ number: Double) {
        guard number.isFinite else { return raw("null") }
        if number == number.rounded(), abs(number) < 1e15 {
            bytes.append(contentsOf: String(Int64(number)).utf8)
        } else {
            bytes.append(contentsOf: number.description.utf8)
        }
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            raw("u00")
            Hex.append(byte, to: &bytes)
        }
    }
}

extension JSONValue {
    /// The compact JSON text as UTF-8; with `sortedNames`, members sorted by the bytes of their names at every depth.
    package func encoded(sortedNames: Bool = false) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(self, sortedNames: sortedNames)
        return writer.bytes
    }

    /// The compact JSON text.
    package var jsonText: String { String(decoding: encoded(), as: UTF8.self) }
}
