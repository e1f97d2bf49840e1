// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Looks at executables of tools.
package protocol ToolExecutableLooking: Sendable {
    /// What is under a path below the tools directory.
    func look(at path: String) -> ExecutableFile.Finding

    /// Whether anything that was looked at may be another by now.
    func haveChanged() -> Bool
}

/// The executables of a directory. A file that has not changed is hashed once.
package final class ToolExecutables: ToolExecutableLooking {
    /// Findings that are kept at the most; beyond it all are made anew.
    private static let mostKept = 16_384

    private struct Known {
        var findings: [String: ExecutableFile.Finding] = [:]
        /// Whether findings were forgotten.
        var isPartial = false
    }

    private let directory: String
    private let known = Mutex(Known())

    /// - Parameter directory: absolute; it need not be there.
    package init(directory: String) { self.directory = directory }

    package func look(at path: String) -> ExecutableFile.Finding {
        let finding = ExecutableFile.look(at: path, below: directory, known: known.withLock { $0.findings[path] })
        known.withLock { known in
            if known.findings.count >= Self.mostKept { known = Known(isPartial: true) }
            known.findings[path] = finding
        }
        return finding
    }

    package func haveChanged() -> Bool {
        let known = known.withLock { $0 }
        return known.isPartial
            || known.findings.contains { path, finding in
                ExecutableFile.look(at: path, below: directory, known: finding) != finding
            }
    }
}
