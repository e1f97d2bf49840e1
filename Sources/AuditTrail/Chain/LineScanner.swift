// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Walks over one line of compact JSON without building values: checks its syntax and says where values stand.
struct LineScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// Whether the whole line is UTF-8.
    var isUTF8: Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    func starts(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
        return true
    }

    mutating func take(_ text: StaticString) -> Bool {
        guard starts(with: text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    /// A quoted text; the range holds the quotes.
    mutating func string() -> Range<Int>? {
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return start..<position }
            if byte < 0x20 { return nil }
            if byte == UInt8(ascii: "\\"), !escape() { return nil }
        }
        return nil
    }

    private mutating func escape() -> Bool {
        guard position < bytes.count else { return false }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"):
            guard position + 4 <= bytes.count else { return false }
            for index in position..<position + 4 {
                switch bytes[index] {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    continue
                default: return false
                }
            }
            position += 4
            return true
        default: return false
        }
    }

    /// 64 lower-case hex digits in quotes; the range is that of the digits.
    mutating func hash() -> Range<Int>? {
        guard let range = string(), range.count == 66 else { return nil }
        let digits = range.lowerBound + 1..<range.upperBound - 1
        for index in digits {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): continue
            default: return nil
            }
        }
        return digits
    }

    mutating func integer() -> Range<Int>? {
        let start = position
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let digits = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard position > digits, position == digits + 1 || bytes[digits] != UInt8(ascii: "0") else { return nil }
        return start..<position
    }

    /// Any value, at most 32 deep.
    mutating func value(depth: Int = 0) -> Range<Int>? {
        let start = position
        guard position < bytes.count, depth <= 32 else { return nil }
        switch bytes[position] {
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "{"): return list(closing: UInt8(ascii: "}"), named: true, depth: depth)
        case UInt8(ascii: "["): return list(closing: UInt8(ascii: "]"), named: false, depth: depth)
        case UInt8(ascii: "t"): return take("true") ? start..<position : nil
        case UInt8(ascii: "f"): return take("false") ? start..<position : nil
        case UInt8(ascii: "n"): return take("null") ? start..<position : nil
        default: return integer()
        }
    }

    private mutating func list(closing: UInt8, named: Bool, depth: Int) -> Range<Int>? {
        let start = position
        position += 1
        if position < bytes.count, bytes[position] == closing {
            position += 1
            return start..<position
        }
        while true {
            if named {
                guard string() != nil, take(":") else { return nil }
            }
            guard value(depth: depth + 1) != nil, position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            if byte == closing { return start..<position }
            guard byte == UInt8(ascii: ",") else { return nil }
        }
    }
}
