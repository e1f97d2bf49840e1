// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CInotify
internal import Dispatch
internal import Glibc

/// Tells when something changes in some folders, by inotify. Folders that cannot be watched are left to polling.
final class FolderWatch {
    /// One element after events; several that nobody has seen yet are one. Ends when the watch is closed.
    let events: AsyncStream<Void>
    private let descriptor: Int32
    private let source: any DispatchSourceRead
    private let continuation: AsyncStream<Void>.Continuation

    /// Nil when the system has no inotify instance left.
    init?() {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        events = stream
        self.continuation = continuation
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        self.source = source
        source.setEventHandler {
            // What changed does not matter: the folders are looked at again.
            var buffer = [UInt8](repeating: 0, count: 4096)
            while Glibc.read(descriptor, &buffer, buffer.count) > 0 {}
            continuation.yield()
        }
        source.setCancelHandler { Glibc.close(descriptor) }
        source.activate()
    }

    /// Watches these folders too. A folder that was made again under its old name is watched again.
    func watch(_ folders: [String]) {
        let mask = UInt32(
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF
                | IN_ONLYDIR)
        for folder in folders { inotify_add_watch(descriptor, folder, mask) }
    }

    /// Ends the stream and gives the descriptor back.
    func close() {
        continuation.finish()
        source.cancel()
    }
}
