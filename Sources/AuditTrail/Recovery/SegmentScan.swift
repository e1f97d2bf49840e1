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
    static func read(
        _ segment: SegmentName, in directory: String, hasher: ChainHasher
    ) throws(AuditError) -> SegmentScan {
        var scan = SegmentScan()
        do throws(AuditError) {
            try scan.read(SegmentReader(segment, in: directory), hasher: hasher)
        } catch  where error.code == .damaged && scan.lastHash != nil {
            // A compressed segment was read back before the plain one went: what is wrong with it happened later, and is no crash.
            scan.isCorrupt = true
        }
        return scan
    }

    private mutating func read(_ source: consuming SegmentReader, hasher: ChainHasher) throws(AuditError) {
        var reader = source
        let plain = ChainHasher(key: nil)
        var lineHasher = plain
        var sawBad = false
        var goesOn = true
        while goesOn {
            let parsed = try reader.next { kind, bytes -> SegmentLine?? in
                guard kind == .whole, let line = SegmentLine(bytes) else { return .some(nil) }
                if case .header(_, _, let algorithm, let keyID) = line.kind, header == nil {
                    if algorithm != "sha256", keyID != hasher.keyID { needsKey = keyID ?? "?" }
                    lineHasher = algorithm == "sha256" ? plain : hasher
                }
                return .some(line.isIntact(bytes, hasher: lineHasher) ? line : nil)
            }
            guard let parsed else { break }
            if needsKey != nil { break }
            size = reader.offset
            guard let line = parsed ?? nil, !isClosed else {
                sawBad = true
                continue
            }
            if sawBad { isCorrupt = true }
            take(line, end: reader.offset)
            goesOn = true
        }
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
