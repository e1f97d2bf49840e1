// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Finds manifest files below folders. Symbolic links are followed, as mounted volumes consist of them; names that begin with `.` are
/// passed over, except the paths that were asked for themselves.
struct ManifestFinder {
    /// A file and what tells its state.
    struct Found {
        var path: String
        var stamp: FileSnapshot.Stamp
    }

    private(set) var files: [Found] = []
    /// Every folder that was walked, for watching.
    private(set) var folders: [String] = []
    private(set) var problems: [ManifestProblem] = []
    private var seenFolders: Set<String> = []

    /// Folders below each other at most.
    private static let maxDepth = 32
    /// Files at most.
    static let maxFiles = 10_000

    /// Walks all paths; each is a folder or a file.
    static func find(_ paths: [String]) -> ManifestFinder {
        var finder = ManifestFinder()
        for path in paths { finder.visit(path, depth: 0, isAsked: true) }
        finder.files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        return finder
    }

    private mutating func visit(_ path: String, depth: Int, isAsked: Bool) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if isAsked { problems.append(ManifestProblem(file: path, message: Self.lastError())) }
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: walk(path, status, depth: depth)
        case S_IFREG where isAsked || Self.isManifest(path):
            guard files.count < Self.maxFiles else {
                if files.count == Self.maxFiles, problems.last?.file != path {
                    problems.append(
                        ManifestProblem(
                            file: path, message: "there are more than \(Self.maxFiles) files; this is left out"))
                }
                return
            }
            files.append(Found(path: path, stamp: Self.stamp(status)))
        default: break
        }
    }

    private mutating func walk(_ path: String, _ status: stat, depth: Int) {
        guard depth <= Self.maxDepth, seenFolders.insert("\(status.st_dev)/\(status.st_ino)").inserted else { return }
        folders.append(path)
        guard let folder = opendir(path) else {
            problems.append(ManifestProblem(file: path, message: Self.lastError()))
            return
        }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        closedir(folder)
        for name in names.sorted() {
            visit(path.hasSuffix("/") ? path + name : path + "/" + name, depth: depth + 1, isAsked: false)
        }
    }

    static func isManifest(_ path: String) -> Bool { [".yaml", ".yml", ".json"].contains(where: path.hasSuffix) }

    private static func stamp(_ status: stat) -> FileSnapshot.Stamp {
        FileSnapshot.Stamp(
            inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modifiedNanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            changedNanoseconds: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec))
    }

    /// The bytes of a file, one more than the bound at most; nil with `errno` set when it cannot be read.
    static func read(_ path: String, bound: Int = YAMLReader.Limits().bytes) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= bound {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }

    static func lastError() -> String { "it cannot be read: \(String(cString: strerror(errno)))" }
}
