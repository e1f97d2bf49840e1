// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A folder of its own for a test, gone when the test lets go of it.
package final class TemporaryDirectory: Sendable {
    /// The absolute path, without a slash at the end.
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "tollgate-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path(percentEncoded: false)
    }

    deinit {
        // A folder that stays behind in the temporary directory harms nobody.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a name below.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file below, making the folders on the way.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        let file = URL(filePath: path(name))
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file.path(percentEncoded: false)
    }

    /// Makes a folder below and gives its path.
    package func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        return path(name)
    }
}
