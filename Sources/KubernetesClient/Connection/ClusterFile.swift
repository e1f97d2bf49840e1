// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Small files that say how to reach a cluster.
enum ClusterFile {
    /// The most bytes of any of them.
    static let maximumBytes = 1 << 20

    /// The content, which must be there.
    static func read(_ path: String, field: String) throws(ClusterConnectionError) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: maximumBytes)
        } catch {
            throw ClusterConnectionError(
                .unreadableFile, "\(field): \(error): it must be readable and no larger than 1 MiB")
        }
        guard let bytes else {
            throw ClusterConnectionError(.missingFile, "\(field): \(path) is not there: mend the path or make the file")
        }
        return bytes
    }
}
