// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A path pattern, read: segments that are literal or captured, and whether everything below counts too.
struct RoutePattern: Sendable, Hashable {
    enum Segment: Sendable, Hashable {
        case literal([UInt8])
        case capture(String)
    }

    /// What is wrong with a pattern.
    struct Fault: Error {
        let message: String
    }

    private(set) var segments: [Segment] = []
    /// Whether the pattern ends in `/**`.
    private(set) var coversBelow = false

    init(_ text: String) throws(Fault) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw Fault(message: "must begin with /") }
        guard text.utf8.count <= CanonicalPath.maximumBytes else { throw Fault(message: "is over 4096 bytes") }
        if text == "/" { return }
        var names: Set<String> = []
        var parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if parts.last == "**" {
            coversBelow = true
            parts.removeLast()
        }
        guard parts.count <= CanonicalPath.maximumSegments else { throw Fault(message: "has over 64 segments") }
        for part in parts {
            let segment = try Self.segment(part)
            if case .capture(let name) = segment, !names.insert(name).inserted {
                throw Fault(message: "captures {\(name)} twice")
            }
            segments.append(segment)
        }
    }

    private static func segment(_ part: Substring) throws(Fault) -> Segment {
        let bytes = Array(part.utf8)
        if bytes.isEmpty { throw Fault(message: "has an empty segment") }
        if part == "." || part == ".." || part.hasPrefix(".;") || part.hasPrefix("..;") {
            throw Fault(message: "has a dot segment, which no canonical path has")
        }
        if bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") {
            let name = bytes.dropFirst().dropLast()
            let isName = name.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
            guard isName, !name.isEmpty else { throw Fault(message: "has a capture without a proper name") }
            return .capture(String(decoding: name, as: UTF8.self))
        }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "*"): throw Fault(message: "has * elsewhere than in /** at the end")
            case UInt8(ascii: "{"), UInt8(ascii: "}"): throw Fault(message: "mixes a capture with other text")
            case UInt8(ascii: "%"), UInt8(ascii: "\\"), 0..<0x20, 0x7F:
                throw Fault(message: "has a character that no canonical path has")
            default: continue
            }
        }
        return .literal(bytes)
    }

    /// Naive comparison, segment by segment: what the compiled look-up must agree with.
    func matches(_ path: [String]) -> Bool {
        guard coversBelow ? path.count >= segments.count : path.count == segments.count else { return false }
        return zip(segments, path).allSatisfy { segment, text in
            switch segment {
            case .literal(let bytes): bytes.elementsEqual(text.utf8)
            case .capture: !text.isEmpty
            }
        }
    }
}
