// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The folder of Tollgate's own files. One process at a time holds it; or one of each role, where the roles are run apart.
///
/// `tollgate.lock` is held alone by role `all` and shared by the other roles, each of which holds a file of its own alone: so `all`, and every
/// older version, keeps everybody else out.
struct DataDirectoryLock: ~Copyable {
    let path: String
    private let descriptors: [Int32]

    /// Makes the folder (mode 0700) and locks it until this value ends.
    ///
    /// - Throws: `StartupProblem` naming the setting when the folder cannot be made or written, or another process holds it.
    init(path: String, role: ProcessRole = .all) throws {
        do {
            try DurableFile.makeDirectory(path)
        } catch {
            throw StartupProblem("TOLLGATE_DATA_DIR: \(error). Name a directory that can be made and written.")
        }
        let common = try Self.file("tollgate.lock", in: path)
        var descriptors = [common]
        do {
            if role == .all {
                guard flock(common, LOCK_EX | LOCK_NB) == 0 else {
                    throw StartupProblem(
                        "TOLLGATE_DATA_DIR: another tollgate process holds \(path). Stop it or name another directory.")
                }
            } else {
                guard flock(common, LOCK_SH | LOCK_NB) == 0 else {
                    throw StartupProblem(
                        "TOLLGATE_DATA_DIR: a tollgate process of role all holds \(path). Stop it, start it with TOLLGATE_ROLE api or worker, or name another directory."
                    )
                }
                let own = try Self.file("tollgate.\(role.rawValue).lock", in: path)
                descriptors.append(own)
                guard flock(own, LOCK_EX | LOCK_NB) == 0 else {
                    throw StartupProblem(
                        "TOLLGATE_ROLE: another tollgate process of role \(role.rawValue) holds \(path). Stop it, give this one another role, or name another directory in TOLLGATE_DATA_DIR."
                    )
                }
            }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        self.path = path
        self.descriptors = descriptors
    }

    private static func file(_ name: String, in path: String) throws -> Int32 {
        let descriptor = open("\(path)/\(name)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartupProblem(
                "TOLLGATE_DATA_DIR: cannot write in \(path): \(String(cString: strerror(errno))). Name a directory that can be written."
            )
        }
        return descriptor
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
