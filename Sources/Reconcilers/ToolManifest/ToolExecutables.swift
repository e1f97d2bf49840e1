// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Looks at executables of tools.
package protocol ToolExecutableLooking: Sendable {
    /// What is under a path below the tools directory.
    func look(at path: String) -> ExecutableFile.Finding
}

/// The executables of a directory. A file that has not changed is hashed once.
package final class ToolExecutables: ToolExecutableLooking {
    /// Findings that are kept at the most; beyond it all are made anew.
    private static let mostKept = 4096

    private let directory: String
    private let known = Mutex<[String: ExecutableFile.Finding]>([:])

    /// - Parameter directory: absolute; it need not be there.
    package init(directory: String) { self.directory = directory }

    package func look(at path: String) -> ExecutableFile.Finding {
        let finding = ExecutableFile.look(at: path, below: directory, known: known.withLock { $0[path] })
        known.withLock { known in
            if known.count >= Self.mostKept { known = [:] }
            known[path] = finding
        }
        return finding
    }
}
