// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Foundation
internal import Metrics

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The `process_*` gauges, read when the text is asked for. Where `/proc` is not there, only the processor time and the start time are set.
package enum ProcessMetrics {
    /// Adds the gauges to a registry.
    ///
    /// - Parameter startedAt: when the process began.
    package static func register(in registry: PrometheusRegistry, startedAt: Timestamp) {
        let resident = Meter(label: "process_resident_memory_bytes", dimensions: [], factory: registry)
        let virtual = Meter(label: "process_virtual_memory_bytes", dimensions: [], factory: registry)
        let openFiles = Meter(label: "process_open_fds", dimensions: [], factory: registry)
        let maximumFiles = Meter(label: "process_max_fds", dimensions: [], factory: registry)
        let processor = registry.makeFloatingPointCounter(label: "process_cpu_seconds_total", dimensions: [])
        let start = Meter(label: "process_start_time_seconds", dimensions: [], factory: registry)
        start.set(Double(startedAt.microseconds) / 1_000_000)
        registry.onScrape {
            if let pages = memoryPages() {
                let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
                virtual.set(pages.virtual * pageSize)
                resident.set(pages.resident * pageSize)
            }
            if let open = openDescriptors() { openFiles.set(Int64(open)) }
            var limit = rlimit()
            #if canImport(Glibc)
                if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
                    maximumFiles.set(Int64(clamping: limit.rlim_cur))
                }
            #else
                if getrlimit(RLIMIT_NOFILE, &limit) == 0 { maximumFiles.set(Int64(clamping: limit.rlim_cur)) }
            #endif
            processor.reset()
            processor.increment(by: processorSeconds())
        }
    }

    private static func memoryPages() -> (virtual: Int64, resident: Int64)? {
        // Without /proc there is nothing to report, which is not a fault.
        guard let data = try? Data(contentsOf: URL(filePath: "/proc/self/statm")) else { return nil }
        let numbers = String(decoding: data, as: UTF8.self).split(separator: " ").prefix(2).compactMap { Int64($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }

    private static func openDescriptors() -> Int? {
        // Without /proc there is nothing to report, which is not a fault.
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }
}
