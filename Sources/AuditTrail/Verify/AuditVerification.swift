// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a check of a trail found.
package struct AuditVerification: Sendable, Hashable {
    /// What can be wrong, in the order in which a line is tested.
    package enum FaultKind: String, Sendable {
        case malformedLine = "malformed_line"
        case hashMismatch = "hash_mismatch"
        case missingSegment = "missing_segment"
        case chainBreak = "chain_break"
        case sequenceGap = "sequence_gap"
        case missingTrailer = "missing_trailer"
        case headMismatch = "head_mismatch"
    }

    /// The first fault of a writer.
    package struct Fault: Sendable, Hashable {
        package let file: String
        /// 1-based.
        package let line: Int
        package let kind: FaultKind

        package init(file: String, line: Int, kind: FaultKind) {
            self.file = file
            self.line = line
            self.kind = kind
        }
    }

    /// The last entry of a series.
    package struct Head: Sendable, Hashable {
        package let sequence: Int64
        /// 64 hex digits.
        package let hash: String

        package init(sequence: Int64, hash: String) {
            self.sequence = sequence
            self.hash = hash
        }

        /// Reads `SEQ:HASH`.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let sequence = Int64(parts[0]), sequence >= 1, parts[1].utf8.count == 64,
                Hex.decode(parts[1]) != nil
            else { return nil }
            self.sequence = sequence
            hash = ASCII.lowercased(parts[1])
        }
    }

    /// One writer's series.
    package struct Writer: Sendable, Hashable {
        package let name: String
        package var segments = 0
        package var entries = 0
        package var head: Head?
        package var fault: Fault?
        /// Why the series could not be read to its end, if it could not.
        package var unreadable: String?

        package init(name: String) { self.name = name }
    }

    /// The writers by name.
    package var writers: [Writer] = []
    /// Why nothing could be read at all.
    package var unreadable: String?

    package init() {}

    /// 0 intact, 1 broken, 2 unreadable.
    package var exitCode: Int32 {
        if writers.contains(where: { $0.fault != nil }) { return 1 }
        return unreadable != nil || writers.contains { $0.unreadable != nil } ? 2 : 0
    }

    /// The report as JSON.
    package var json: JSONValue {
        let list = writers.map { writer -> JSONValue in
            var object: JSONObject = [
                "writer": .string(writer.name), "segments": .int(Int64(writer.segments)),
                "entries": .int(Int64(writer.entries)),
                "head": writer.head.map { ["sequence": .int($0.sequence), "hash": .string($0.hash)] } ?? .null,
                "fault": writer.fault.map {
                    ["file": .string($0.file), "line": .int(Int64($0.line)), "kind": .string($0.kind.rawValue)]
                } ?? .null,
            ]
            if let reason = writer.unreadable { object["unreadable"] = .string(reason) }
            return .object(object)
        }
        var object: JSONObject = ["intact": .bool(exitCode == 0), "writers": .array(list)]
        if let unreadable { object["unreadable"] = .string(unreadable) }
        return .object(object)
    }

    /// The report for people, one line a writer.
    package var text: String {
        var lines = writers.map { writer in
            if let fault = writer.fault {
                return "\(writer.name): broken: \(fault.file) line \(fault.line): \(fault.kind.rawValue)"
            }
            if let reason = writer.unreadable { return "\(writer.name): unreadable: \(reason)" }
            let head = writer.head.map { ", head \($0.sequence):\($0.hash)" } ?? ""
            return "\(writer.name): intact: \(writer.entries) entries in \(writer.segments) segments\(head)"
        }
        if let unreadable { lines.append("unreadable: \(unreadable)") }
        return lines.joined(separator: "\n")
    }
}
