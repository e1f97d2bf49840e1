// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What the rules of an AuthConfig can read beside caller, resource and action. Made only for hosts that have rules.
package struct RuleFacts: Sendable {
    package var method: String
    /// The canonical path.
    package var path: String
    package var host: String
    package var scheme: String
    package var remoteIP: IPAddress?
    package var headers: HeaderList
    /// The text behind the first `?`, as it came.
    package var query: String?
    /// What the credential said.
    package var claims: JSONObject
    /// The tool that is asked for; nil for other requests.
    package var toolID: String?

    package init(
        method: String, path: String, host: String = "", scheme: String = "https", remoteIP: IPAddress? = nil,
        headers: HeaderList = HeaderList(), query: String? = nil, claims: JSONObject = JSONObject(),
        toolID: String? = nil
    ) {
        self.method = method
        self.path = path
        self.host = host
        self.scheme = scheme
        self.remoteIP = remoteIP
        self.headers = headers
        self.query = query
        self.claims = claims
        self.toolID = toolID
    }

    /// The values of a query parameter, decoded once as forms are: `+` is a blank.
    func queryValues(_ name: String) -> [String] {
        guard let query else { return [] }
        return query.utf8.split(separator: UInt8(ascii: "&")).compactMap { part in
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard Self.decoded(pair[0]).elementsEqual(name.utf8) else { return nil }
            return pair.count > 1 ? String(decoding: Self.decoded(pair[1]), as: UTF8.self) : ""
        }
    }

    /// Bytes that are no escape stay as they are.
    private static func decoded(_ text: Substring.UTF8View) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            if byte == UInt8(ascii: "%"), let second = text.index(index, offsetBy: 1, limitedBy: text.endIndex),
                second < text.endIndex, let high = Hex.digitValue(text[index]), let low = Hex.digitValue(text[second])
            {
                bytes.append(high << 4 | low)
                index = text.index(after: second)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return bytes
    }
}
