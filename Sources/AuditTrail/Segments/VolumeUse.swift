// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// How full a volume is.
package struct VolumeUse: Sendable, Hashable {
    /// From which share on people are warned.
    package static let warningPercent = 80

    /// 0 to 100; of what an ordinary process may use.
    package let percent: Int

    package init(percent: Int) { self.percent = percent }

    /// Whether somebody should do something about it.
    package var isHigh: Bool { percent >= Self.warningPercent }

    /// The use of the volume that holds a path; nil when it cannot be told.
    static func of(_ path: String) -> VolumeUse? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return VolumeUse(
            blocks: UInt64(status.f_blocks), free: UInt64(status.f_bfree), available: UInt64(status.f_bavail))
    }

    /// Of what a file system says about itself, which may be anything; nil when it makes no sense.
    init?(blocks: UInt64, free: UInt64, available: UInt64) {
        guard free <= blocks else { return nil }
        let used = blocks - free
        let (usable, overflows) = used.addingReportingOverflow(available)
        guard !overflows, usable > 0 else { return nil }
        let product = used.multipliedFullWidth(by: 100)
        percent = Int(usable.dividingFullWidth(product).quotient)
    }
}
