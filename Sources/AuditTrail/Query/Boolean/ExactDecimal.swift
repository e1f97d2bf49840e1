// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A decimal number of any size and fraction, compared exactly: 0.digits × 10^point, with its sign.
struct ExactDecimal: Sendable, Hashable {
    /// -1, 0 or 1.
    private let sign: Int
    /// Values 0–9 without zeros at either end.
    private let digits: [UInt8]
    /// Where the decimal point stands, counted from the first digit.
    private let point: Int

    /// Beyond this an exponent says nothing more: no number of an event is so large or so small.
    private static let largestExponent = 100_000_000

    private init(isNegative: Bool, digits: some Collection<UInt8>, point: Int) {
        let leading = digits.prefix { $0 == 0 }.count
        var kept = Array(digits.dropFirst(leading))
        while kept.last == 0 { kept.removeLast() }
        self.digits = kept
        sign = kept.isEmpty ? 0 : isNegative ? -1 : 1
        self.point = kept.isEmpty ? 0 : point - leading
    }

    init(_ number: Int64) {
        let digits = String(number.magnitude).utf8.map { $0 - UInt8(ascii: "0") }
        self.init(isNegative: number < 0, digits: digits, point: digits.count)
    }

    /// The shortest decimal that reads as this number.
    init(_ number: Double) {
        // What a JSON text held is finite, and that is always written as digits, fraction and exponent.
        self = ExactDecimal(reading: number.description) ?? ExactDecimal(Int64(0))
    }

    /// Reads an optional sign, digits with at most one point, and an optional exponent; nil for every other text.
    init?(reading text: String) {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = Self.takeDigits(&rest)
        var fraction: [UInt8] = []
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = Self.takeDigits(&rest)
        }
        guard !(whole.isEmpty && fraction.isEmpty) else { return nil }
        var exponent = 0
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            let isSmall = rest.first == UInt8(ascii: "-")
            if isSmall || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            let power = Self.takeDigits(&rest)
            guard !power.isEmpty else { return nil }
            exponent = power.reduce(0) { min(Self.largestExponent, $0 * 10 + Int($1)) }
            if isSmall { exponent = -exponent }
        }
        guard rest.isEmpty else { return nil }
        self.init(isNegative: isNegative, digits: whole + fraction, point: whole.count + exponent)
    }

    /// The Unix seconds of RFC 3339 text with a zone, with every digit of its fraction; nil for every other text.
    init?(secondsOfRFC3339 text: String) {
        // The shortest has 20 characters; looking at two of them spares reading what cannot be one.
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        guard let instant = Timestamp(rfc3339: text) else { return nil }
        var fraction: [UInt8] = []
        if bytes[19] == UInt8(ascii: ".") {
            var rest = bytes[20...]
            fraction = Self.takeDigits(&rest)
        }
        let seconds = String(instant.seconds).utf8.map { $0 - UInt8(ascii: "0") }
        self.init(isNegative: false, digits: seconds + fraction, point: seconds.count)
    }

    private static func takeDigits(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest.dropFirst(digits.count)
        return digits.map { $0 - UInt8(ascii: "0") }
    }

    /// Below 0 when this is less, 0 when it is equal, above 0 when it is more.
    func compared(to other: ExactDecimal) -> Int {
        guard sign == other.sign else { return sign - other.sign }
        guard sign != 0 else { return 0 }
        guard point == other.point else { return point < other.point ? -sign : sign }
        for (left, right) in zip(digits, other.digits) where left != right { return left < right ? -sign : sign }
        // One begins with the other, and neither ends in a zero: the longer is the larger.
        return (digits.count - other.digits.count) * sign
    }

    /// The number with neither exponent nor superfluous zeros.
    var plainText: String {
        guard sign != 0 else { return "0" }
        let ascii = digits.map { $0 + UInt8(ascii: "0") }
        var text: [UInt8] = sign < 0 ? [UInt8(ascii: "-")] : []
        if point <= 0 {
            text += Array("0.".utf8) + repeatElement(UInt8(ascii: "0"), count: -point) + ascii
        } else if point >= ascii.count {
            text += ascii + repeatElement(UInt8(ascii: "0"), count: point - ascii.count)
        } else {
            text += ascii[..<point] + [UInt8(ascii: ".")] + ascii[point...]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
