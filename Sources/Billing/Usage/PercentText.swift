// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Header values as CloudEvents writes them: bytes outside of printable ASCII, blanks, quotes and `%` as `%XX`.
enum PercentText {
    /// The text; nil where an escape is broken or the bytes are no UTF-8.
    static func decode(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            guard source[index] == UInt8(ascii: "%") else {
                bytes.append(source[index])
                index += 1
                continue
            }
            guard index + 2 < source.count, let high = Hex.digitValue(source[index + 1]),
                let low = Hex.digitValue(source[index + 2])
            else { return nil }
            bytes.append(UInt8(high) << 4 | UInt8(low))
            index += 3
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
