// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Gives every method that a table names one bit, and all others one together.
struct MethodTable: Sendable {
    /// A set of methods as bits.
    typealias Bits = UInt64

    private static let standard = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
    private static let explicitOnly: Bits = 0b1110_0000
    private static let others: Bits = 1 << 8
    private var custom: [String] = []

    /// Most methods beside the standard ones that one table may name.
    static let maximumCustom = 48

    /// Takes note of a method that a rule names.
    ///
    /// - Returns: false when there is no room for another.
    mutating func note(_ name: String) -> Bool {
        if name == "*" || name == "HEAD" || Self.standard.contains(name) || custom.contains(name) { return true }
        guard custom.count < Self.maximumCustom else { return false }
        custom.append(name)
        return true
    }

    /// The methods of a rule, once every rule's are noted. HEAD adds nothing: it is looked up as GET.
    func bits(_ names: [String]) -> Bits {
        names.reduce(0) { $0 | ($1 == "*" ? all & ~Self.explicitOnly : $1 == "HEAD" ? 0 : bit($1)) }
    }

    /// The bit of a request's method.
    func bit(_ name: String) -> Bits {
        switch name {
        case "GET", "HEAD": 1
        case "POST": 2
        case "PUT": 4
        case "PATCH": 8
        case "DELETE": 16
        case "OPTIONS": 32
        case "TRACE": 64
        case "CONNECT": 128
        default: custom.firstIndex(of: name).map { 1 << Bits(9 + $0) } ?? Self.others
        }
    }

    /// The number of a bit that a name has; nil for the bit of all others.
    func name(ofBit bit: Bits) -> String? {
        let number = bit.trailingZeroBitCount
        if number < 8 { return Self.standard[number] }
        return number > 8 && number - 9 < custom.count ? custom[number - 9] : nil
    }

    private var all: Bits { custom.indices.reduce(0x1FF) { $0 | 1 << Bits(9 + $1) } }
}
