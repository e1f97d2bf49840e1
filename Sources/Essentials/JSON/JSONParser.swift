// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) strictly: UTF-8 without a byte-order mark, unique member names, nothing after the document.
///
/// It never recurses deeper than `Limits.depth` and never holds more than it was given, so text from outside cannot exhaust the stack.
package struct JSONParser: ~Copyable {
    /// Bounds on what is accepted.
    package struct Limits: Sendable {
        /// Open arrays and objects at once.
        package var depth: Int
        /// Values in the whole document.
        package var values: Int
        /// Whether names that differ only in Unicode normalisation are two names, as RFC 8785 has it; else they are one, and refused.
        package var exactNames: Bool
        /// Names from the outermost object inwards to a member that is read over: it is not in the result, and of its value only texts and
        /// brackets are checked. Empty = everything is read.
        package var omitted: [String]

        package init(depth: Int = 64, values: Int = 200_000, exactNames: Bool = false, omitted: [String] = []) {
            self.depth = depth
            self.values = values
            self.exactNames = exactNames
            self.omitted = omitted
        }
    }

    /// Why a text is not a JSON document, and at which byte.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package enum Code: String, Sendable {
            case unexpectedEnd, unexpectedByte, badEscape, badNumber, badUTF8, duplicateMember, tooDeep, tooManyValues
            case trailingBytes
        }
        package let code: Code
        /// Offset from the start, in bytes.
        package let offset: Int

        package init(code: Code, offset: Int) {
            self.code = code
            self.offset = offset
        }

        package var description: String { "\(code.rawValue) at byte \(offset)" }
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: Limits
    private var position = 0
    private var valuesLeft: Int

    private init(bytes: UnsafeBufferPointer<UInt8>, limits: Limits) {
        self.bytes = bytes
        self.limits = limits
        valuesLeft = limits.values
    }

    /// Parses a whole document.
    ///
    /// - Throws: `Failure` with the code and the byte.
    package static func parse(_ bytes: UnsafeBufferPointer<UInt8>, limits: Limits = Limits()) throws(Failure)
        -> JSONValue
    {
        var parser = JSONParser(bytes: bytes, limits: limits)
        parser.skipBlanks()
        let value = try parser.value(depth: 0, steps: limits.omitted[...])
        parser.skipBlanks()
        guard parser.position == bytes.count else { throw parser.failure(.trailingBytes) }
        return value
    }

    /// Parses a whole document held in an array.
    package static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(Failure) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(Failure) in try parse(buffer, limits: limits) }
        }
        return try result.get()
    }

    /// Parses a whole document held in a string.
    package static func parse(text: String, limits: Limits = Limits()) throws(Failure) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    private func failure(_ code: Failure.Code) -> Failure { Failure(code: code, offset: position) }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// - Parameter steps: the rest of the way to the member that is omitted; empty where it is not in this value.
    private mutating func value(depth: Int, steps: ArraySlice<String> = []) throws(Failure) -> JSONValue {
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw failure(.tooManyValues) }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object(depth: depth + 1, steps: steps)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let length = text.utf8CodeUnitCount
        guard position + length <= bytes.count else { throw failure(.unexpectedEnd) }
        for index in 0..<length where bytes[position + index] != text.utf8Start[index] {
            throw failure(.unexpectedByte)
        }
        position += length
        return value
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        guard depth <= limits.depth else { throw failure(.tooDeep) }
        position += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            skipBlanks()
            elements.append(try value(depth: depth))
            skipBlanks()
            switch try peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw failure(.unexpectedByte)
            }
        }
    }

    private mutating func object(depth: Int, steps: ArraySlice<String>) throws(Failure) -> JSONValue {
        guard depth <= limits.depth else { throw failure(.tooDeep) }
        position += 1
        var members: [JSONObject.Member] = []
        // Small objects are checked for doubled names by looking; large ones by a set, so that the cost stays linear.
        var seen: Set<String>?
        var seenBytes: Set<[UInt8]> = []
        skipBlanks()
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(JSONObject())
        }
        members.reserveCapacity(8)
        while true {
            skipBlanks()
            guard try peek() == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
            let start = position
            let name = try string()
            let isNew: Bool
            if limits.exactNames {
                isNew = seenBytes.insert(Array(name.utf8)).inserted
            } else {
                if members.count == 16 { seen = Set(members.map(\.name)) }
                isNew = seen == nil ? !members.contains { $0.name == name } : seen!.insert(name).inserted
            }
            guard isNew else { throw Failure(code: .duplicateMember, offset: start) }
            skipBlanks()
            guard try peek() == UInt8(ascii: ":") else { throw failure(.unexpectedByte) }
            position += 1
            skipBlanks()
            let isOnTheWay = steps.first == name
            if isOnTheWay, steps.count == 1 {
                try passOver(depth: depth)
            } else {
                let value = try value(depth: depth, steps: isOnTheWay ? steps.dropFirst() : [])
                members.append(JSONObject.Member(name: name, value: value))
            }
            skipBlanks()
            switch try peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(JSONObject(uniqueMembers: members))
            default: throw failure(.unexpectedByte)
            }
        }
    }

    /// Passes over a value.
    private mutating func passOver(depth: Int) throws(Failure) {
        var closers: [UInt8] = []
        repeat {
            skipBlanks()
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                closers.append(byte + 2)
                guard depth + closers.count <= limits.depth else { throw failure(.tooDeep) }
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard closers.popLast() == byte else { throw failure(.unexpectedByte) }
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard !closers.isEmpty else { throw failure(.unexpectedByte) }
                position += 1
            case UInt8(ascii: "\""): try passOverString()
            default: _ = try value(depth: depth)
            }
        } while !closers.isEmpty
    }

    private mutating func passOverString() throws(Failure) {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): position += 2
            case 0..<0x20: throw failure(.unexpectedByte)
            default: position += 1
            }
        }
        position = bytes.count
        throw failure(.unexpectedEnd)
    }

    private func peek() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        return bytes[position]
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        var ored: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            ored |= byte
            switch byte {
            case UInt8(ascii: "\""):
                let part = UnsafeBufferPointer(rebasing: bytes[start..<position])
                // Of ASCII nothing can be wrong, and most texts are.
                let text = ored < 0x80 ? String(decoding: part, as: UTF8.self) : try decoded(part)
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw failure(.unexpectedByte)
            default: position += 1
            }
        }
        throw failure(.unexpectedEnd)
    }

    private func decoded(_ part: UnsafeBufferPointer<UInt8>) throws(Failure) -> String {
        guard let text = String(validating: part, as: UTF8.self) else { throw failure(.badUTF8) }
        return text
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var scratch = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: scratch, as: UTF8.self) else { throw failure(.badUTF8) }
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try appendEscape(to: &scratch)
            case 0..<0x20: throw failure(.unexpectedByte)
            default:
                scratch.append(byte)
                position += 1
            }
        }
        throw failure(.unexpectedEnd)
    }

    private mutating func appendEscape(to scratch: inout [UInt8]) throws(Failure) {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try unicodeEscape()
            scratch.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw failure(.badEscape)
        }
    }

    private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
        let first = try hexQuad()
        if (0xD800...0xDBFF).contains(first) {
            guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw failure(.badEscape) }
            position += 2
            let second = try hexQuad()
            guard (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            else { throw failure(.badEscape) }
            return scalar
        }
        guard let scalar = Unicode.Scalar(first) else { throw failure(.badEscape) }
        return scalar
    }

    private mutating func hexQuad() throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure(.unexpectedEnd) }
        var result: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Hex.digitValue(bytes[position]) else { throw failure(.badEscape) }
            result = result << 4 | UInt32(digit)
            position += 1
        }
        return result
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        if try peek() == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        let digits = skipDigits()
        guard digits > 0 else { throw failure(.unexpectedByte) }
        guard digits == 1 || bytes[firstDigit] != UInt8(ascii: "0") else { throw failure(.badNumber) }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw failure(.badNumber) }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard skipDigits() > 0 else { throw failure(.badNumber) }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .int(integer) }
        guard let number = Double(text), number.isFinite else { throw failure(.badNumber) }
        return .double(number)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        return position - start
    }
}
