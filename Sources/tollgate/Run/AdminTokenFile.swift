// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The admin token that Tollgate makes for itself where none is configured: file `admin-token` in the data directory.
struct AdminTokenFile {
    private let path: String

    init(dataDirectory: String) { path = "\(dataDirectory)/admin-token" }

    /// Takes the token of the last start up again, or makes one of 256 random bits.
    ///
    /// - Returns: the token, and whether it is new and has to be shown.
    /// - Throws: `StartupProblem` when the file cannot be read or written, or does not hold a token.
    func load(random: some RandomSource) throws -> (token: Redacted<String>, isNew: Bool) {
        do {
            if let bytes = try DurableFile.read(path, limit: 4096) {
                let text = ASCII.trimmed(String(decoding: bytes, as: UTF8.self))
                guard text.utf8.count >= 32 else {
                    throw StartupProblem("\(path) does not hold an admin token. Remove it: a new one is made.")
                }
                return (Redacted(text), false)
            }
            let token = Base64URL.encode(random.bytes(32))
            try DurableFile.write(Array("\(token)\n".utf8), to: path)
            return (Redacted(token), true)
        } catch let failure as DurableFile.Failure {
            throw StartupProblem("the admin token: \(failure)")
        }
    }
}
