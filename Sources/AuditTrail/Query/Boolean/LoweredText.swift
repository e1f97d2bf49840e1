// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Texts that are compared without case: every Unicode scalar is lower-cased on its own, nothing is normalised.
package enum LoweredText {
    /// The lower-cased text as UTF-8.
    package static func bytes(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes[index] |= 0x20
            case 0x80...: return scalarWise(text)
            default: continue
            }
        }
        return bytes
    }

    private static func scalarWise(_ text: String) -> [UInt8] {
        var lowered: [UInt8] = []
        lowered.reserveCapacity(text.utf8.count + 8)
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                let byte = UInt8(ascii: scalar)
                lowered.append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte)
            } else {
                lowered.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
            }
        }
        return lowered
    }

    /// Whether bytes occur in others; none occur everywhere.
    package static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first else { return true }
        guard part.count <= text.count else { return false }
        return text.withUnsafeBufferPointer { text in
            part.withUnsafeBufferPointer { part in
                for start in 0...text.count - part.count where text[start] == first {
                    var index = 1
                    while index < part.count, text[start + index] == part[index] { index += 1 }
                    if index == part.count { return true }
                }
                return false
            }
        }
    }
}
