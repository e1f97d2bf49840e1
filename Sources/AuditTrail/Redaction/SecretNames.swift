// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Members whose values are secrets whatever they look like.
enum SecretNames {
    /// Without `-` and `_`, lower case.
    private static let names: Set<[UInt8]> = Set(
        [
            "authorization", "cookie", "setcookie", "password", "passwd", "secret", "clientsecret", "token",
            "accesstoken", "refreshtoken", "idtoken", "apikey", "xapikey", "privatekey", "credential", "signature",
        ].map { Array($0.utf8) })
    private static let longest = 13

    /// Whether the name, or its end behind a separator, is that of a secret; case, `-` and `_` do not count.
    static func contains(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in mayMatch(bytes) && matches(bytes) }
    }

    /// Every name on the list ends in one of a few triples of letters; hardly any other name does.
    private static func mayMatch(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var tail: UInt32 = 0
        var letters = 0
        var index = bytes.count - 1
        while index >= 0, letters < 3 {
            let byte = bytes[index]
            if !isSeparator(byte) {
                tail |= UInt32(byte | 0x20) << UInt32(letters * 8)
                letters += 1
            }
            index -= 1
        }
        return switch tail {
        case 0x69_6F6E, 0x6B_6965, 0x6F_7264, 0x73_7764, 0x72_6574, 0x6B_656E, 0x6B_6579, 0x69_616C, 0x75_7265: true
        default: false
        }
    }

    private static func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var letters: [UInt8] = []
        var index = bytes.count - 1
        while index >= 0 {
            let byte = bytes[index]
            if isSeparator(byte) || byte == UInt8(ascii: ".") {
                if names.contains(letters.reversed()) { return true }
                if byte == UInt8(ascii: ".") { return false }
            } else {
                letters.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
                if letters.count > longest { return false }
            }
            index -= 1
        }
        return names.contains(letters.reversed())
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") }
}
