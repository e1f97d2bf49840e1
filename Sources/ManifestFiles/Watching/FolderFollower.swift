// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Looks again whenever something may have changed in some folders: by inotify, and at every interval by itself.
package enum FolderFollower {
    /// Why is looked again.
    package enum Wake: Sendable {
        /// The watch has begun: what changed before is not told.
        case start
        /// Something changed in a folder.
        case event
        /// An interval has passed.
        case tick
    }

    /// What changes within this time is one change.
    package static let quietTime = Duration.milliseconds(200)
    /// How often is looked where the file system tells nothing.
    package static let interval = Duration.seconds(2)

    /// Runs until it is cancelled.
    ///
    /// - Parameters:
    ///   - folders: what is watched from the start.
    ///   - look: looks, and says which folders are to be watched from now on.
    package static func run(folders: [String], look: @Sendable (Wake) async -> [String]) async {
        let watch = FolderWatch()
        watch?.watch(folders)
        watch?.watch(await look(.start))
        let (wakes, wake) = AsyncStream<Wake>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            if let events = watch?.events {
                group.addTask { for await _ in events { wake.yield(.event) } }
            }
            group.addTask {
                while !Task.isCancelled {
                    // Cancellation ends the loop, so the error says nothing more.
                    try? await Task.sleep(for: Self.interval)
                    wake.yield(.tick)
                }
                wake.finish()
            }
            for await reason in wakes {
                // Cancellation ends the stream, so the error says nothing more.
                try? await Task.sleep(for: Self.quietTime)
                watch?.watch(await look(reason))
            }
            group.cancelAll()
        }
        watch?.close()
    }
}
