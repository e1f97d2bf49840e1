// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// A Lua script with the name under which Redis knows it once it has run.
package struct RedisScript: Sendable {
    /// Its text.
    package let source: String
    /// Lower-case hexadecimal SHA-1 of the text: Redis' own name for it, no proof of anything.
    package let digest: String

    package init(_ source: String) {
        self.source = source
        digest = Hex.encode(Insecure.SHA1.hash(data: Array(source.utf8)))
    }

    /// The call by name, or with the text where the name is not known.
    func command(keys: [String], arguments: [String], withSource: Bool) -> RedisCommand {
        RedisCommand(
            words: [withSource ? "EVAL" : "EVALSHA", withSource ? source : digest, String(keys.count)] + keys
                + arguments)
    }
}
