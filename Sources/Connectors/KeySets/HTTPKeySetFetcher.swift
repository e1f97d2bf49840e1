// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
internal import Synchronization

/// Fetches key sets over HTTP, by URL or through an issuer's discovery document (OpenID Connect Discovery 1.0 section 4).
package final class HTTPKeySetFetcher: KeySetFetching {
    private struct Discovered: Sendable {
        let url: String
        let foundAt: Timestamp
    }

    private static let discoveryLifeSeconds: Int64 = 3600
    private static let maximumDiscovered = 1024

    private let client: GuardedHTTPClient
    private let clock: any WallClock
    private let discovered = Mutex<[RemoteKeySource: Discovered]>([:])

    /// Fetches through that client.
    package init(client: GuardedHTTPClient, clock: any WallClock) {
        self.client = client
        self.clock = clock
    }

    package func fetch(
        _ source: RemoteKeySource, timeout: Duration
    ) async throws(KeySetFetchError) -> FetchedDocument {
        switch source {
        case .jwks(let url, let trust): return try await client.document(url, trust: trust, timeout: timeout)
        case .discovery(let issuer, let trust):
            let url = try await keySetURL(of: source, issuer: issuer, timeout: timeout)
            do throws(KeySetFetchError) {
                return try await client.document(url, trust: trust, timeout: timeout)
            } catch {
                // The issuer may have moved its keys.
                discovered.withLock { $0[source] = nil }
                throw error
            }
        }
    }

    private func keySetURL(
        of source: RemoteKeySource, issuer: String, timeout: Duration
    ) async throws(KeySetFetchError) -> String {
        let now = clock.now()
        if let known = discovered.withLock({ $0[source] }),
            known.foundAt <= now, now < known.foundAt.adding(seconds: Self.discoveryLifeSeconds)
        {
            return known.url
        }
        let document = try await client.document(source.url, trust: source.trust, timeout: timeout)
        let json: JSONValue
        do {
            json = try JSONParser.parse(document.body)
        } catch {
            throw KeySetFetchError(.badDiscovery, "the discovery document is no JSON", cause: error)
        }
        guard let named = json["issuer"]?.stringValue, named.isExactly(issuer) else {
            throw KeySetFetchError(.badDiscovery, "the discovery document names another issuer")
        }
        guard let url = json["jwks_uri"]?.stringValue else {
            throw KeySetFetchError(.badDiscovery, "the discovery document has no jwks_uri")
        }
        discovered.withLock { known in
            if known.count >= Self.maximumDiscovered { known.removeAll() }
            known[source] = Discovered(url: url, foundAt: now)
        }
        return url
    }
}
