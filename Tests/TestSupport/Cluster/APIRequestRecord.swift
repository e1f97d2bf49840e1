// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One request that the fake API server got.
package struct APIRequestRecord: Sendable {
    package let method: String
    package let path: String
    package let query: [String: String]
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// What was asked for; nil for discovery and paths that are not served.
    package let route: RequestRoute?

    /// The `User-Agent`.
    package var userAgent: String { header("user-agent") ?? "" }

    /// The first header of that lower-case name.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The body, when it is JSON.
    package var document: JSONValue? {
        // Whoever asks for a document asks of requests that may have none.
        try? JSONParser.parse(body)
    }

    /// The plural of the resource that was asked for.
    package var plural: String? { route?.resource.plural }
}
