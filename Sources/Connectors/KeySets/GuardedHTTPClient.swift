// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
package import Authentication
internal import Essentials
internal import NIOCore
internal import NIOHTTP1
package import NIOSSL

/// Fetches small documents from URLs that settings and objects name, within the outgoing guard: no redirects, no proxy, bounded in time and
/// size, and where the address matters, only to an address that was checked.
package struct GuardedHTTPClient: Sendable {
    /// The most bytes of a document.
    package static let maximumBytes = 262_144
    private static let maximumAddresses = 3

    private let egress: EgressRules
    private let resolver: any AddressResolving
    private let tls: TLSConfiguration

    /// A client that opens connections for one document each and keeps none.
    package init(
        egress: EgressRules, resolver: any AddressResolving = SystemResolver(),
        tls: TLSConfiguration = .makeClientConfiguration()
    ) {
        self.egress = egress
        self.resolver = resolver
        self.tls = tls
    }

    /// The document behind a URL.
    ///
    /// - Parameter timeout: for each attempt to reach it.
    /// - Throws: `KeySetFetchError` with `egressRefused`, `unreachable`, `badStatus` or `tooLarge`.
    package func document(
        _ url: String, trust: EgressTrust, timeout: Duration
    ) async throws(KeySetFetchError) -> FetchedDocument {
        let target: EgressRules.Target
        do {
            target = try egress.check(url, trust: trust)
        } catch {
            throw KeySetFetchError(.egressRefused, error.message, cause: error)
        }
        guard target.demandsAddressCheck else { return try await get(target.url, at: nil, timeout: timeout) }
        let addresses = try await checkedAddresses(of: target)
        var failure = KeySetFetchError(.unreachable, "the host has no address")
        for address in addresses.prefix(Self.maximumAddresses) {
            do throws(KeySetFetchError) {
                return try await get(target.url, at: address, timeout: timeout)
            } catch {
                guard error.code == .unreachable else { throw error }
                failure = error
            }
        }
        throw failure
    }

    private func checkedAddresses(of target: EgressRules.Target) async throws(KeySetFetchError) -> [IPAddress] {
        do {
            return try await AddressGuard(egress: egress, resolver: resolver).addresses(of: target)
        } catch {
            switch error {
            case .unresolved(let cause):
                throw KeySetFetchError(.unreachable, "the host name cannot be resolved", cause: cause)
            case .forbidden:
                throw KeySetFetchError(.egressRefused, "the address of the host is neither public nor allowed")
            }
        }
    }

    private func get(
        _ url: EndpointURL, at address: IPAddress?, timeout: Duration
    ) async throws(KeySetFetchError) -> FetchedDocument {
        let limit = TimeAmount.nanoseconds(timeout.wholeMicroseconds * 1000)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: limit, read: limit)
        if let address, url.literalAddress == nil { configuration.dnsOverride = [url.host: address.description] }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<FetchedDocument, KeySetFetchError>
        do throws(KeySetFetchError) {
            result = .success(try await read(url, with: client, limit: limit))
        } catch {
            result = .failure(error)
        }
        // The document is here or not; a connection that does not close in order changes nothing about it.
        try? await client.shutdown()
        return try result.get()
    }

    private func read(
        _ url: EndpointURL, with client: HTTPClient, limit: TimeAmount
    ) async throws(KeySetFetchError) -> FetchedDocument {
        var request = HTTPClientRequest(url: url.text)
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate")
        do {
            let response = try await client.execute(request, timeout: limit)
            guard response.status == .ok else {
                throw KeySetFetchError(.badStatus, "status \(response.status.code)")
            }
            let body = try await response.body.collect(upTo: Self.maximumBytes)
            let lines = response.headers[canonicalForm: "cache-control"].map(String.init)
            return FetchedDocument(
                body: Array(body.readableBytesView), cacheControl: lines.isEmpty ? nil : lines.joined(separator: ","))
        } catch let error as KeySetFetchError {
            throw error
        } catch is NIOTooManyBytesError {
            throw KeySetFetchError(.tooLarge, "more than \(Self.maximumBytes) bytes")
        } catch {
            throw KeySetFetchError(.unreachable, String(describing: error), cause: error)
        }
    }
}
