// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport

/// The shipped plans without their request limits, for tests that ask as often as they like.
enum UnlimitedPlans {
    /// Writes them.
    ///
    /// - Returns: the path of the file.
    static func file(in folder: TemporaryDirectory) throws -> String {
        let shipped = try String(contentsOf: Repository.root.appending(path: "plans/plans.yaml"), encoding: .utf8)
        let unlimited = shipped.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("    rate: {") ? "    rate: { minute: -1, hour: -1, day: -1 }" : String(line)
        }
        return try folder.write(unlimited.joined(separator: "\n"), to: "plans.yaml")
    }
}
