// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The folder of Tollgate's own files. One process at a time holds it.
struct DataDirectoryLock: ~Copyable {
    let path: String
    private let lock: Int32

    /// Makes the folder (mode 0700) and locks it until this value ends.
    ///
    /// - Throws: `StartupProblem` naming the setting when the folder cannot be made or written, or another process holds it.
    init(path: String) throws {
        do {
            try DurableFile.makeDirectory(path)
        } catch {
            throw StartupProblem("TOLLGATE_DATA_DIR: \(error). Name a directory that can be made and written.")
        }
        let lockPath = "\(path)/tollgate.lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartupProblem(
                "TOLLGATE_DATA_DIR: cannot write in \(path): \(String(cString: strerror(errno))). Name a directory that can be written."
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StartupProblem(
                "TOLLGATE_DATA_DIR: another tollgate process holds \(path). Stop it or name another directory.")
        }
        self.path = path
        lock = descriptor
    }

    deinit { close(lock) }
}
