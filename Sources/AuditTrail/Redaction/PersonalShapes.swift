// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Finds e-mail addresses, phone numbers and card numbers.
enum PersonalShapes {
    /// The parts that are personal data, in order and without overlap.
    static func find(in bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            var range: Range<Int>?
            if byte == UInt8(ascii: "@") {
                range = email(at: index, after: found.last?.upperBound ?? 0, in: bytes)
            } else if isDigit(byte) || byte == UInt8(ascii: "+") {
                range = number(at: index, in: bytes)
            }
            if let range {
                found.append(range)
                index = range.upperBound
            } else if isDigit(byte) {
                // The rest of a run of digits that is no number of a person is none either.
                while index < bytes.count, isDigit(bytes[index]) { index += 1 }
            } else {
                index += 1
            }
        }
        return found
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func email(
        at index: Int, after floor: Int, in bytes: UnsafeBufferPointer<UInt8>
    ) -> Range<Int>? {
        var start = index
        while start > floor,
            isLetter(bytes[start - 1]) || isDigit(bytes[start - 1])
                || "._%+-".utf8.contains(bytes[start - 1])
        { start -= 1 }
        var end = index + 1
        var dot: Int?
        while end < bytes.count, isLetter(bytes[end]) || isDigit(bytes[end]) || ".-".utf8.contains(bytes[end]) {
            if bytes[end] == UInt8(ascii: ".") { dot = end }
            end += 1
        }
        guard start < index, let dot, dot > index + 1, end - dot > 2 else { return nil }
        return start..<end
    }

    /// A card number (13–19 digits that pass the Luhn check), or a phone number (`+` and 8–15 digits); blanks and `-` may stand between.
    private static func number(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        if index > 0, isDigit(bytes[index - 1]) || isLetter(bytes[index - 1]) { return nil }
        let isPhone = bytes[index] == UInt8(ascii: "+")
        var digits: [UInt8] = []
        var position = isPhone ? index + 1 : index
        var end = position
        scan: while position < bytes.count, digits.count < 20 {
            let byte = bytes[position]
            if isDigit(byte) {
                digits.append(byte - UInt8(ascii: "0"))
                end = position + 1
            } else {
                let isFiller = byte == 0x20 || byte == UInt8(ascii: "-") || isPhone && "().".utf8.contains(byte)
                guard isFiller, position == end || isPhone else { break scan }
            }
            position += 1
        }
        if isPhone { return (8...15).contains(digits.count) ? index..<end : nil }
        return (13...19).contains(digits.count) && passesLuhn(digits) ? index..<end : nil
    }

    private static func passesLuhn(_ digits: [UInt8]) -> Bool {
        let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
            let doubled = Int(digit.element) * (digit.offset % 2 == 1 ? 2 : 1)
            return sum + (doubled > 9 ? doubled - 9 : doubled)
        }
        return sum % 10 == 0
    }
}
