// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation

/// What was measured, as Markdown.
struct Report {
    /// The look at a daemon while objects change.
    struct ChangePhase {
        let name: String
        let changes: Changes
        let seconds: Double
        let cpu: Double
        let machine: Double
        let memory: ProcessFigures
        let passes: Double
        let calls: Double
    }

    /// Writes a line at once: a run takes minutes.
    func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    func table(_ head: String, _ columns: String) {
        say("")
        say(head)
        say(columns)
    }

    func row(_ what: String, _ value: String, _ aim: String = "") { say("| \(what) | \(value) | \(aim) |") }

    func row(_ phase: ChangePhase) {
        for (name, delays) in [("edits", phase.changes.edits), ("revocations", phase.changes.revocations)]
        where !delays.acknowledged.isEmpty {
            func milliseconds(_ values: [Double], _ share: Double) -> String {
                fixed(Changes.Delays.percentile(values, share) * 1000, 0)
            }
            let count = delays.acknowledged.count
            say(
                "| \(phase.name), \(name) | \(grouped(Int64(count))) | \(fixed(Double(count) / phase.seconds)) "
                    + "| \(milliseconds(delays.acknowledged, 0.5)) / \(milliseconds(delays.acknowledged, 0.99)) "
                    + "| \(milliseconds(delays.effective, 0.5)) | \(milliseconds(delays.effective, 0.99)) "
                    + "| \(milliseconds(delays.effective, 1)) | \(delays.lost) | \(delays.notMade) |")
        }
    }

    func cost(of phase: ChangePhase) {
        let changes = phase.changes.edits.acknowledged.count + phase.changes.revocations.acknowledged.count
        say(
            "| \(phase.name) | \(fixed(phase.cpu, 0)) | \(fixed(phase.machine, 0)) | \(fixed(phase.memory.resident)) "
                + "| \(fixed(phase.memory.anonymous)) | \(fixed(phase.memory.peak)) | \(fixed(phase.passes, 0)) "
                + "| \(fixed(phase.calls / Double(max(1, changes)), 2)) | \(grouped(Int64(phase.changes.decisions))) |")

    }
}
