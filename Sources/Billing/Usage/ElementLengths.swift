// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Measures the elements of a JSON list without reading them.
enum ElementLengths {
    /// Bytes of each element, blanks around it not counted.
    ///
    /// - Parameter body: a list that was read before: of broken text the lengths mean nothing.
    static func of(_ body: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var depth = 0
        var start: Int?
        var end = 0
        var isText = false
        var isEscaped = false
        func close() {
            if let first = start { lengths.append(end - first) }
            start = nil
        }
        for (index, byte) in body.enumerated() {
            if isText {
                end = index + 1
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
                continue
            }
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                if depth == 1 { continue }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if depth <= 0 {
                    close()
                    continue
                }
            case UInt8(ascii: ",") where depth == 1:
                close()
                continue
            case UInt8(ascii: "\""): isText = true
            default: break
            }
            if start == nil { start = index }
            end = index + 1
        }
        return lengths
    }
}
