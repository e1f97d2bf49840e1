// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import HTTPTypes

/// A file that the binary carries for browsers.
struct ConsoleFile: Sendable {
    let bytes: [UInt8]
    let type: String
    /// A strong tag: it changes with the bytes.
    let tag: String

    init(_ text: String, type: String) { self.init(bytes: Array((text + "\n").utf8), type: type) }

    init(bytes: [UInt8], type: String) {
        self.bytes = bytes
        self.type = type
        tag = "\"\(Hex.encode(SHA256.hash(data: bytes).prefix(16)))\""
    }

    /// The media type by the end of a name; nil for a name that is no file for browsers.
    static func type(of name: String) -> String? {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: nil
        }
    }

    /// The files by their names.
    static let all: [String: ConsoleFile] = Dictionary(
        uniqueKeysWithValues: ConsoleFiles.all.compactMap { name, text in
            type(of: name).map { (name, ConsoleFile(text, type: $0)) }
        })

    /// What pages may do: load what stands beside them, ask this very host, and nothing else. Nothing in a page itself is run or styled.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    /// The answer; without the body for a browser that has these bytes already.
    func answer(to headers: HeaderList) -> OwnAnswer {
        var answer = OwnAnswer()
        answer.isRecorded = false
        answer.fields[.contentSecurityPolicy] = Self.policy
        answer.fields[.cacheControl] = "no-cache"
        answer.fields[.eTag] = tag
        let known = headers.all("if-none-match").contains { line in
            line.split(separator: ",").contains { part in
                let text = ASCII.trimmed(part)
                return text == tag || text == "W/" + tag || text == "*"
            }
        }
        if known { answer.status = 304 } else { answer.text = (bytes, type) }
        return answer
    }
}
