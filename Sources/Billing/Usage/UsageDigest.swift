// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// What tells a repeat of an event from another event with the same id.
enum UsageDigest {
    /// SHA-256, hex, of type, account, time as it was written, and data, with members in the order of their names: the same for the
    /// same content, however it is laid out. Other attributes, such as those of tracing, are not content.
    static func of(type: String, account: String, time: String?, data: JSONValue) -> String {
        var writer = JSONWriter()
        writer.string(type)
        writer.string(account)
        writer.string(time)
        writer.value(data, sortedNames: true)
        return Hex.encode(SHA256.hash(data: writer.bytes))
    }
}
