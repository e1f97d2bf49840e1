// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension ManifestDirectory {
    /// Watches until it is cancelled: by inotify, and every 2 s by looking. What changes within 200 ms is one change.
    package func run() async throws {
        await FolderFollower.run(folders: poll().folders) { wake in
            let seen = poll()
            // A change between the last `load()` and the start must not be lost.
            if seen.hasChanged || wake == .start { changed.yield() }
            return seen.folders
        }
    }
}
