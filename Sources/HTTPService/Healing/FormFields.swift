// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The fields of a form that a browser posts, or of a link's query, as members with texts.
enum FormFields {
    /// Whether a body is that of a form.
    static func isForm(_ exchange: Exchange) -> Bool {
        let type = exchange.headers.first("content-type") ?? ""
        return ASCII.lowercased(type.prefix { $0 != ";" && $0 != " " }) == "application/x-www-form-urlencoded"
    }

    /// Reads a form.
    ///
    /// - Throws: `request.malformed` for unknown fields, `request.invalid` for one that came twice.
    static func read(_ bytes: [UInt8], known: Set<String>) throws(Refusal) -> JSONObject {
        let text = String(decoding: bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        return try QueryItems(target: "?" + text).object(known: known)
    }
}
