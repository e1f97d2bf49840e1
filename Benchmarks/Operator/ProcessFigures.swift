// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

#if canImport(Glibc)
    internal import Glibc
#endif

/// What the kernel says of a process (proc(5)).
struct ProcessFigures {
    /// Processor time of all its threads so far, in seconds.
    let cpu: Double
    /// MiB in memory now, of which the second are its own.
    let resident: Double
    let anonymous: Double
    /// The most that it ever had in memory.
    let peak: Double
    let at: ContinuousClock.Instant

    init(of process: Int32) throws {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        func mebibytes(_ name: String) -> Double {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }
            return (number ?? .nan) / 1024
        }
        resident = mebibytes("VmRSS")
        anonymous = mebibytes("RssAnon")
        peak = mebibytes("VmHWM")
        let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // Behind the name, which may hold blanks, the third field comes first.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw BenchmarkFault("/proc/\(process)/stat cannot be read")
        }
        cpu = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        at = ContinuousClock().now
    }

    /// Percent of one processor since then.
    func load(since earlier: ProcessFigures) -> Double {
        (cpu - earlier.cpu) / (at - earlier.at).inSeconds * 100
    }
}

/// How busy the whole machine is.
struct MachineFigures {
    private let busy: Double
    private let all: Double

    init() throws {
        let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
        let ticks = (text.split(separator: "\n").first ?? "").split(separator: " ").compactMap { Double($0) }
        guard ticks.count >= 5 else { throw BenchmarkFault("/proc/stat cannot be read") }
        all = ticks.prefix(8).reduce(0, +)
        busy = all - ticks[3] - ticks[4]
    }

    /// Percent of all processors since then.
    func load(since earlier: MachineFigures) -> Double { (busy - earlier.busy) / (all - earlier.all) * 100 }
}
