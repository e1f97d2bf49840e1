// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
package import Essentials
package import ResourceModel
internal import Synchronization

/// The manifest files below some folders: reads them, remembers what was good, and tells when they change.
///
/// `load()` is one full pass and may be called from any thread; `run()` watches.
package final class ManifestDirectory: Sendable {
    private struct State {
        var files: [String: FileSnapshot] = [:]
        var lastGood: [ObjectKey: ManifestObject] = [:]
        var memory: [ObjectKey: ObjectMemory] = [:]
        /// What `run()` saw last, to notice changes by polling.
        var polled: [String: FileSnapshot.Stamp] = [:]
    }

    /// Objects that are read at most; those behind are left out and reported.
    package static let maxObjects = 10_000

    let paths: [String]
    private let defaultNamespace: String
    private let clock: any WallClock
    private let state: Mutex<State>
    private let stream: AsyncStream<Void>
    let changed: AsyncStream<Void>.Continuation

    /// Looks below the paths, each a folder or a file. `memory` is what an earlier run handed out.
    package init(
        paths: [String], defaultNamespace: String = "default", clock: any WallClock,
        memory: [ObjectKey: ObjectMemory] = [:]
    ) {
        self.paths = paths
        self.defaultNamespace = defaultNamespace
        self.clock = clock
        state = Mutex(State(memory: memory))
        (stream, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// One element after each change of the files while `run()` runs; changes that nobody has seen yet are one. For one reader.
    package func changes() -> AsyncStream<Void> { stream }

    /// What is remembered about the objects, for the owner to keep.
    package func memory() -> [ObjectKey: ObjectMemory] { state.withLock(\.memory) }

    /// Reads what changed since the last pass and says what all files hold now.
    package func load() -> ManifestLoad {
        state.withLock { state in
            let found = ManifestFinder.find(paths)
            let now = clock.now()
            let stale = found.files.filter { state.files[$0.path]?.stamp != $0.stamp }
            let read = Self.read(stale, defaultNamespace: defaultNamespace, now: now)
            var files: [String: FileSnapshot] = [:]
            for file in found.files {
                guard var snapshot = read[file.path] ?? state.files[file.path] else { continue }
                if let old = state.files[file.path] {
                    snapshot.firstSeen = old.firstSeen
                    if snapshot.fault != nil { snapshot.objects = old.objects }
                }
                files[file.path] = snapshot
            }
            state.files = files
            var assembly = ManifestAssembly(problems: found.problems, now: now)
            assembly.add(found.files.compactMap { files[$0.path] })
            return assembly.finish(lastGood: &state.lastGood, memory: &state.memory)
        }
    }

    /// Whether files came, went or changed since this was last asked, and the folders there are.
    func poll() -> (hasChanged: Bool, folders: [String]) {
        let found = ManifestFinder.find(paths)
        let stamps = Dictionary(found.files.map { ($0.path, $0.stamp) }) { first, _ in first }
        let hasChanged = state.withLock { state in
            defer { state.polled = stamps }
            return state.polled != stamps
        }
        return (hasChanged, found.folders)
    }

    /// Reads files on all cores.
    private static func read(_ files: [ManifestFinder.Found], defaultNamespace: String, now: Timestamp)
        -> [String: FileSnapshot]
    {
        let results = Mutex<[String: FileSnapshot]>([:])
        DispatchQueue.concurrentPerform(iterations: files.count) { index in
            let snapshot = read(files[index], defaultNamespace: defaultNamespace, now: now)
            results.withLock { $0[snapshot.path] = snapshot }
        }
        return results.withLock { $0 }
    }

    private static func read(_ file: ManifestFinder.Found, defaultNamespace: String, now: Timestamp) -> FileSnapshot {
        var snapshot = FileSnapshot(path: file.path, stamp: file.stamp, firstSeen: now, objects: [])
        guard let bytes = ManifestFinder.read(file.path) else {
            snapshot.fault = ManifestProblem(file: file.path, message: ManifestFinder.lastError())
            return snapshot
        }
        do {
            snapshot.objects = try FileSnapshot.objects(of: bytes, defaultNamespace: defaultNamespace)
        } catch {
            snapshot.fault = ManifestProblem(file: file.path, line: error.line, message: error.message)
        }
        return snapshot
    }
}
