// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The calls whose outcome depends on the disk, so that tests can make them fail.
package struct FileCalls: Sendable {
    /// `write(2)`.
    package var write: @Sendable (Int32, UnsafeRawBufferPointer) -> Int
    /// `fdatasync(2)`.
    package var sync: @Sendable (Int32) -> Int32
    /// How full the volume of a path is; nil when it cannot be told.
    package var volume: @Sendable (String) -> VolumeUse?

    /// The system's own calls.
    package static let system = FileCalls(
        write: { descriptor, bytes in
            #if canImport(Glibc)
                Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            #else
                Darwin.write(descriptor, bytes.baseAddress, bytes.count)
            #endif
        },
        sync: { descriptor in
            #if canImport(Glibc)
                fdatasync(descriptor)
            #else
                fsync(descriptor)
            #endif
        })

    package init(
        write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) -> Int, sync: @escaping @Sendable (Int32) -> Int32,
        volume: @escaping @Sendable (String) -> VolumeUse? = { VolumeUse.of($0) }
    ) {
        self.write = write
        self.sync = sync
        self.volume = volume
    }

    /// Writes all of it.
    func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws(AuditError) {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes {
                write(descriptor, UnsafeRawBufferPointer(rebasing: $0[written...]))
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else {
                throw AuditError(code: .unwritable, message: "a segment cannot be written", errno: errno)
            }
            written += result
        }
    }

    /// Syncs what was written.
    func syncAll(_ descriptor: Int32) throws(AuditError) {
        guard sync(descriptor) == 0 else {
            throw AuditError(code: .unwritable, message: "a segment cannot be synced", errno: errno)
        }
    }
}

/// `close(2)`, for places where a member of that name hides it. What is written is synced before, so its answer says nothing.
func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }
