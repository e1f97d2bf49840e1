// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Brings the document of a key set from outside.
package protocol KeySetFetching: Sendable {
    /// The body of the key set behind a source, at most 256 KiB, from an answer with status 200 and without redirects.
    ///
    /// - Throws: `KeySetFetchError`.
    func fetch(_ source: RemoteKeySource, timeout: Duration) async throws(KeySetFetchError) -> FetchedDocument
}

/// What came back.
package struct FetchedDocument: Sendable, Hashable {
    package let body: [UInt8]
    /// The value of `Cache-Control`; several lines joined by commas.
    package let cacheControl: String?

    package init(body: [UInt8], cacheControl: String?) {
        self.body = body
        self.cacheControl = cacheControl
    }
}
