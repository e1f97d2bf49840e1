// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension ManifestDirectory {
    private static let pollInterval = Duration.seconds(2)
    private static let quietTime = Duration.milliseconds(200)

    private enum Wake: Sendable { case event, tick }

    /// Watches until it is cancelled: by inotify, and every 2 s by looking. What changes within 200 ms is one change.
    package func run() async throws {
        let watch = FolderWatch()
        watch?.watch(poll().folders)
        // A change between the last `load()` and this moment must not be lost.
        changed.yield()
        let (wakes, wake) = AsyncStream<Wake>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            if let events = watch?.events {
                group.addTask { for await _ in events { wake.yield(.event) } }
            }
            group.addTask {
                while !Task.isCancelled {
                    // Cancellation ends the loop, so the error says nothing more.
                    try? await Task.sleep(for: Self.pollInterval)
                    wake.yield(.tick)
                }
                wake.finish()
            }
            for await _ in wakes {
                // Cancellation ends the stream, so the error says nothing more.
                try? await Task.sleep(for: Self.quietTime)
                let seen = poll()
                watch?.watch(seen.folders)
                if seen.hasChanged { changed.yield() }
            }
            group.cancelAll()
        }
        watch?.close()
    }
}
