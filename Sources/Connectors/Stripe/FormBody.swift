// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A form as Stripe reads it: `line_items[0][price]=price_1&mode=payment`, in the order in which members were added.
struct FormBody: Sendable, Hashable {
    private(set) var text = ""

    init(_ members: KeyValuePairs<String, String> = [:]) {
        for (name, value) in members { add(name, value) }
    }

    /// Adds a member; nothing without a value.
    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        if !text.isEmpty { text += "&" }
        text += Self.encoded(name) + "=" + Self.encoded(value)
    }

    var bytes: [UInt8] { Array(text.utf8) }

    /// Everything but unreserved characters as `%XX`.
    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
