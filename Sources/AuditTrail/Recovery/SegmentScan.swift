// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What the newest segment of a series looks like after its process ended somehow.
struct SegmentScan {
    /// The header, when the first line is one.
    var header: SegmentLine?
    var isClosed = false
    /// The last line that is intact.
    var lastHash: [UInt8]?
    /// The sequence number that comes next.
    var nextSequence: Int64?
    var entries: Int64 = 0
    /// The file offset behind the last intact line.
    var goodEnd = 0
    /// The size that was read.
    var size = 0
    /// Whether intact lines follow a bad one: that is no crash.
    var isCorrupt = false
    /// Whether the segment was made with a key that is not at hand.
    var needsKey: String?

    /// Bytes behind the last intact line.
    var tornBytes: Int { size - goodEnd }

    /// Reads a segment.
    static func read(_ path: String, hasher: ChainHasher) throws(AuditError) -> SegmentScan {
        var scan = SegmentScan()
        var reader = try SegmentReader(path: path)
        let plain = ChainHasher(key: nil)
        var lineHasher = plain
        var sawBad = false
        var goesOn = true
        while goesOn {
            let parsed = try reader.next { kind, bytes -> SegmentLine?? in
                guard kind == .whole, let line = SegmentLine(bytes) else { return .some(nil) }
                if case .header(_, _, let algorithm, let keyID) = line.kind, scan.header == nil {
                    if algorithm != "sha256", keyID != hasher.keyID { scan.needsKey = keyID ?? "?" }
                    lineHasher = algorithm == "sha256" ? plain : hasher
                }
                return .some(line.isIntact(bytes, hasher: lineHasher) ? line : nil)
            }
            guard let parsed else { break }
            if scan.needsKey != nil { break }
            scan.size = reader.offset
            guard let line = parsed ?? nil, !scan.isClosed else {
                sawBad = true
                continue
            }
            if sawBad { scan.isCorrupt = true }
            scan.take(line, end: reader.offset)
            goesOn = true
        }
        return scan
    }

    private mutating func take(_ line: SegmentLine, end: Int) {
        switch line.kind {
        case .header(let first, _, _, _):
            if header == nil { header = line }
            nextSequence = nextSequence ?? first
        case .entry(let sequence):
            nextSequence = sequence + 1
            entries += 1
        case .trailer(let last, _):
            nextSequence = last + 1
            isClosed = true
        }
        lastHash = line.hash
        goodEnd = end
    }
}
