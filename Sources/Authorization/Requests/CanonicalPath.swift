// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The one form of a request's path that rules match, that records show and that an internal token carries.
///
/// Decoded once; begins with `/`; has no empty, `.` or `..` segment, no `/` at the end (but for the root) and at most 64 segments.
/// Nothing is resolved or repaired: what a server behind might read differently is refused.
package struct CanonicalPath: Sendable, Hashable {
    /// The decoded path.
    package let text: String
    /// What followed the first `?`, as it was; plays no part in matching. Nil without a `?`.
    package let query: String?

    private init(text: String, query: String?) {
        self.text = text
        self.query = query
    }

    /// The segments in order; none for the root. Computed: matching does not need them.
    package var segments: [String] {
        text.utf8.count == 1
            ? []
            : text.utf8.dropFirst().split(separator: Self.slash, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
    }

    /// Longest path before decoding, in bytes.
    package static let maximumBytes = 4096
    /// Most segments.
    package static let maximumSegments = 64

    private static let slash = UInt8(ascii: "/")

    /// Reads a request target as received: path and query, or an absolute URL.
    ///
    /// - Returns: the path, or the first fault in the order that `PathFault` lists them by step; within a step the leftmost.
    package static func parse(_ target: String) -> Result<CanonicalPath, PathFault> {
        let scan = target.utf8.withContiguousStorageIfAvailable(CleanScan.init(_:))
        switch scan {
        case .clean(let end)?:
            guard let end else { return .success(CanonicalPath(text: target, query: nil)) }
            let mark = target.utf8.index(target.startIndex, offsetBy: end)
            let rest = target[target.utf8.index(after: mark)...]
            return .success(CanonicalPath(text: String(target[..<mark]), query: String(rest)))
        case .unclean?, nil: return parseSlowly(Array(target.utf8))
        }
    }

    /// Whether a target is canonical as it stands up to its `?`.
    private enum CleanScan {
        /// Position of the `?`, if there is one.
        case clean(queryMark: Int?)
        case unclean

        init(_ bytes: UnsafeBufferPointer<UInt8>) {
            self = .unclean
            guard let first = bytes.first, first == slash else { return }
            var mark: Int?
            var segments = 1
            var previous = slash
            var index = 1
            while index < bytes.count {
                let byte = bytes[index]
                switch byte {
                case 0..<0x20, 0x7F, UInt8(ascii: "\\"), UInt8(ascii: "#"): return
                case UInt8(ascii: "%") where mark == nil: return
                case slash where mark == nil, UInt8(ascii: ".") where mark == nil:
                    if previous == slash { return }
                    if byte == slash { segments += 1 }
                case UInt8(ascii: "?") where mark == nil:
                    mark = index
                default: break
                }
                previous = byte
                index += 1
            }
            let end = mark ?? bytes.count
            guard end <= maximumBytes, segments <= maximumSegments else { return }
            if end > 1, bytes[end - 1] == slash { return }
            self = .clean(queryMark: mark)
        }
    }

    private static func parseSlowly(_ target: [UInt8]) -> Result<CanonicalPath, PathFault> {
        for byte in target {
            if byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\\") { return .failure(.badCharacter) }
            if byte == UInt8(ascii: "#") { return .failure(.fragment) }
        }
        var path = withoutAuthority(target[...])
        var query: String?
        if let mark = path.firstIndex(of: UInt8(ascii: "?")) {
            query = String(decoding: path[(mark + 1)...], as: UTF8.self)
            path = path[..<mark]
        }
        if path.isEmpty { path = [slash] }
        guard path.first == slash else { return .failure(.notAbsolute) }
        guard path.count <= maximumBytes else { return .failure(.tooLong) }
        return decoded(path).flatMap { decoded in
            var bytes = decoded
            if bytes == [slash] { return .success(CanonicalPath(text: "/", query: query)) }
            if bytes.last == slash { bytes.removeLast() }
            if let fault = segmentFault(bytes) { return .failure(fault) }
            return .success(CanonicalPath(text: String(decoding: bytes, as: UTF8.self), query: query))
        }
    }

    /// Cuts `scheme://authority` off.
    private static func withoutAuthority(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let colon = target.firstIndex(of: UInt8(ascii: ":")), target[colon...].starts(with: "://".utf8),
            let first = target.first, isLetter(first),
            target[..<colon].allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) })
        else { return target }
        let authority = target[(colon + 3)...]
        let end = authority.firstIndex { $0 == slash || $0 == UInt8(ascii: "?") } ?? target.endIndex
        return target[end...]
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    /// Decodes escapes once.
    private static func decoded(_ path: ArraySlice<UInt8>) -> Result<[UInt8], PathFault> {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.count)
        var index = path.startIndex
        while index < path.endIndex {
            guard path[index] == UInt8(ascii: "%") else {
                bytes.append(path[index])
                index += 1
                continue
            }
            guard index + 2 < path.endIndex, let high = Hex.digitValue(path[index + 1]),
                let low = Hex.digitValue(path[index + 2])
            else { return .failure(.badEscape) }
            let byte = high << 4 | low
            switch byte {
            case slash, UInt8(ascii: "\\"): return .failure(.encodedSlash)
            case UInt8(ascii: "%"): return .failure(.encodedPercent)
            case 0..<0x20, 0x7F: return .failure(.controlCharacter)
            default: bytes.append(byte)
            }
            index += 3
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { return .failure(.badUTF8) }
        return .success(bytes)
    }

    /// The first fault of the segments of anything but the root.
    private static func segmentFault(_ path: [UInt8]) -> PathFault? {
        let segments = path.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
        if segments.count > maximumSegments { return .tooManySegments }
        for segment in segments {
            if segment.isEmpty { return .emptySegment }
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) { return .dotSegment }
            if segment.starts(with: ".;".utf8) || segment.starts(with: "..;".utf8) { return .dotParameter }
        }
        return nil
    }
}
