// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Everything that a deployment may choose about its audit trail; the values are parsed already.
package struct AuditSettings: Sendable {
    /// What is recorded about allowed decisions.
    package enum Decisions: String, Sendable, CaseIterable {
        case folded, full, refusals
    }

    /// The directory that holds one directory a writer.
    package var directory: String
    /// This process's own series of segments, `[a-z0-9.-]{1,63}`.
    package var writer: String
    /// With at least 32 bytes the chain is HMAC-SHA256 instead of SHA-256.
    package var hmacKey: Redacted<[UInt8]>?
    /// 32 bytes that sign cursors, the same on every replica; nil = made once for the directory.
    package var cursorKey: Redacted<[UInt8]>?
    /// Entries that may wait at once.
    package var queueCapacity = 16_384
    /// How long an entry of the queued class may wait for company before it is written.
    package var flushInterval: Duration = .milliseconds(5)
    /// Whether requests pass while nothing can be recorded.
    package var failsOpen = false
    package var decisions: Decisions = .folded
    package var redaction: RedactionLevel = .secrets
    /// A segment that has reached this many bytes is closed and the next one begun.
    package var segmentBytes = 128 << 20
    /// The newest entries that are kept in memory, at least 128.
    package var memoryEntries = 10_000
    /// Seconds that one folded entry stands for.
    package var foldSeconds: Int64 = 10
    /// Different folded entries that may be open at once; beyond it allowed decisions are recorded whole.
    package var foldCapacity = 8192
    /// Refusals a second from one address that are still recorded whole.
    package var refusalsPerSecond = 100
    /// How long after a failure to write the next try is made.
    package var retryInterval: Duration = .seconds(1)
    /// When the open segment is closed every day.
    package var rotateAt = DailyTime(hour: 2, minute: 10)
    /// A segment is deleted when its last entry is older.
    package var retentionSeconds: Int64 = 336 * 3600
    /// Seconds between two log lines about the head.
    package var headSeconds: Int64 = 300

    package init(directory: String, writer: String) {
        self.directory = directory
        self.writer = writer
    }

    /// Whether a text may name a writer.
    package static func isWriterName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "-")
            }
    }

    /// The directory of this writer's segments.
    package var writerDirectory: String { "\(directory)/\(writer)" }
}
