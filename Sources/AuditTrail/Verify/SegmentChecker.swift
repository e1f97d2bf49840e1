// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Walks the lines of a writer's series, oldest first, and stops at the first fault.
struct SegmentChecker {
    private let hasher: ChainHasher
    private let keyed: ChainHasher?
    private let expectedHead: AuditVerification.Head?
    /// Entries behind this one are not looked at.
    private let lastWanted: Int64

    private(set) var entries = 0
    private(set) var segments = 0
    private(set) var head: AuditVerification.Head?
    private(set) var fault: AuditVerification.Fault?
    /// Why a segment cannot be checked: it needs another key.
    private(set) var unreadable: String?
    /// Whether everything that was asked for has been seen.
    private(set) var isDone = false

    private var file = ""
    private var line = 0
    private var current: ChainHasher
    private var isClosed = false
    private var previousFile: String?
    private var previousHash: [UInt8]?
    private var nextSequence: Int64?
    private var sawHead = false

    init(hmacKey: Redacted<[UInt8]>?, head: AuditVerification.Head? = nil, to: Int64? = nil) {
        hasher = ChainHasher(key: nil)
        keyed = hmacKey.map { ChainHasher(key: $0) }
        expectedHead = head
        lastWanted = to ?? .max
        current = hasher
    }

    /// Whether nothing more has to be read.
    var isOver: Bool { fault != nil || unreadable != nil || isDone }

    mutating func begin(file: String) {
        finishSegment()
        guard !isOver else { return }
        self.file = file
        line = 0
        isClosed = false
        segments += 1
    }

    /// What follows is in another file: the one that was read must have been closed.
    private mutating func finishSegment() {
        guard segments > 0, !isOver else { return }
        if !isClosed { fail(.missingTrailer, line: line + 1) }
        previousFile = file
    }

    mutating func check(_ bytes: UnsafeBufferPointer<UInt8>, isWhole: Bool) {
        guard !isOver else { return }
        line += 1
        guard isWhole, !isClosed, let parsed = SegmentLine(bytes) else { return fail(.malformedLine) }
        if case .header(_, _, let algorithm, let keyID) = parsed.kind {
            guard line == 1 else { return fail(.malformedLine) }
            guard selectHasher(algorithm: algorithm, keyID: keyID) else { return }
        } else if line == 1 {
            return fail(.malformedLine)
        }
        guard parsed.isIntact(bytes, hasher: current) else { return fail(.hashMismatch) }
        checkPlace(of: parsed)
        previousHash = parsed.hash
    }

    private mutating func selectHasher(algorithm: String, keyID: String?) -> Bool {
        switch algorithm {
        case "sha256": current = hasher
        case "hmac-sha256":
            guard let keyed, keyed.keyID == keyID else {
                // An altered key id reads the same as a key that is not at hand; either way the chain cannot be vouched for.
                unreadable = "\(file) needs the key \(keyID ?? "?")"
                return false
            }
            current = keyed
        default:
            fail(.malformedLine)
            return false
        }
        return true
    }

    private mutating func checkPlace(of parsed: SegmentLine) {
        if case .header(_, let previousSegment, _, _) = parsed.kind {
            if segments > 1, previousSegment != previousFile { return fail(.missingSegment) }
            if segments == 1, previousSegment == nil, parsed.previousHash != Array(ChainHasher.zeros.utf8) {
                return fail(.chainBreak)
            }
        }
        if let previousHash, parsed.previousHash != previousHash { return fail(.chainBreak) }
        switch parsed.kind {
        case .header(let first, _, _, _):
            if let nextSequence, first != nextSequence { return fail(.sequenceGap) }
            nextSequence = first
        case .entry(let sequence):
            guard sequence == nextSequence else { return fail(.sequenceGap) }
            if sequence > lastWanted {
                isDone = true
                return
            }
            nextSequence = sequence + 1
            entries += 1
            head = AuditVerification.Head(sequence: sequence, hash: String(decoding: parsed.hash, as: UTF8.self))
            if head == expectedHead { sawHead = true }
        case .trailer(let last, _):
            guard last + 1 == nextSequence else { return fail(.sequenceGap) }
            isClosed = true
        }
    }

    /// What stands behind the last line cannot be read as lines: a compressed segment was altered.
    mutating func failBehind() { if !isOver { fail(.malformedLine, line: line + 1) } }

    /// Everything was read.
    mutating func finish() {
        guard fault == nil, unreadable == nil, expectedHead != nil, !sawHead else { return }
        fail(.headMismatch, line: max(1, line))
    }

    private mutating func fail(_ kind: AuditVerification.FaultKind, line: Int? = nil) {
        fault = AuditVerification.Fault(file: file, line: line ?? self.line, kind: kind)
    }
}
