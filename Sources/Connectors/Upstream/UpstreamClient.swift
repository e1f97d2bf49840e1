// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// What the operator says about the document that a sidecar has.
package enum UpstreamAnswer: Sendable {
    /// There is another one.
    case document(bytes: [UInt8], entityTag: String)
    /// It is still the one in force.
    case unchanged
}

/// The operator as a sidecar sees it.
package protocol UpstreamCalling: Sendable {
    /// Asks for the document of AuthConfigs; with a tag the answer comes when there is another one, or after half a minute.
    func snapshot(of names: [String], entityTag: String?) async throws(UpstreamError) -> UpstreamAnswer
    /// Hands in what was recorded here.
    ///
    /// - Parameter key: names the report, so that one that is sent twice counts once.
    func report(_ records: [UInt8], key: String) async throws(UpstreamError)
}

/// Calls the operator over HTTP/1.1 or HTTP/2. No redirects and no proxy: the credential goes to one place only.
package final class UpstreamClient: UpstreamCalling {
    /// How long a question may take: the operator's patience and what a large answer needs.
    private static let questionSeconds: Int64 = 75
    private static let reportSeconds: Int64 = 15
    private static let connectSeconds: Int64 = 5
    private static let errorBytes = 64 << 10

    private struct Link {
        var authorities: [UInt8]?
        var http: HTTPClient
    }

    private let server: String
    private let credential: UpstreamCredential
    private let authorities: String?
    private let maximumBytes: Int
    private let readTimeout: Duration
    private let link = Mutex<Link?>(nil)

    /// - Parameters:
    ///   - server: scheme, host and port, without a slash at the end.
    ///   - authorities: a PEM file of certificates that alone are trusted; looked at before every call. Nil = those of the system.
    ///   - maximumBytes: of a document.
    ///   - readTimeout: how long nothing may come of an answer, before it begins or in the middle of it; more than the operator's patience.
    package init(
        server: String, credential: UpstreamCredential, authorities: String?, maximumBytes: Int,
        readTimeout: Duration = .seconds(45)
    ) {
        self.server = server
        self.credential = credential
        self.authorities = authorities
        self.maximumBytes = maximumBytes
        self.readTimeout = readTimeout
    }

    /// Closes the connections; the client is not used afterwards.
    package func shutdown() async {
        let http = link.withLock { link in
            defer { link = nil }
            return link?.http
        }
        // The process ends: a connection that does not close in order changes nothing.
        try? await http?.shutdown()
    }

    package func snapshot(of names: [String], entityTag: String?) async throws(UpstreamError) -> UpstreamAnswer {
        var request = try request(.GET, "/v1/snapshot?auth_config=" + names.map(Self.escaped).joined(separator: ","))
        if let entityTag { request.headers.add(name: "if-none-match", value: entityTag) }
        let (response, body) = try await execute(request, seconds: Self.questionSeconds, upTo: maximumBytes)
        switch response.status.code {
        case 304: return .unchanged
        case 200:
            guard let tag = response.headers.first(name: "etag"), tag.utf8.count <= 256 else {
                throw UpstreamError(.badAnswer, "\(server) gave a document without a tag: is it a Tollgate?")
            }
            return .document(bytes: body, entityTag: tag)
        default: throw refusal(Int(response.status.code), body)
        }
    }

    package func report(_ records: [UInt8], key: String) async throws(UpstreamError) {
        var request = try request(.POST, "/v1/sidecar/records")
        request.headers.add(name: "idempotency-key", value: key)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: records))
        let (response, body) = try await execute(request, seconds: Self.reportSeconds, upTo: Self.errorBytes)
        guard (200..<300).contains(response.status.code) else { throw refusal(Int(response.status.code), body) }
    }

    private func request(_ method: HTTPMethod, _ target: String) throws(UpstreamError) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server + target)
        request.method = method
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate-sidecar")
        request.headers.add(name: "authorization", value: "Bearer " + (try credential.current().revealed))
        return request
    }

    private func execute(
        _ request: HTTPClientRequest, seconds: Int64, upTo limit: Int
    ) async throws(UpstreamError) -> (response: HTTPClientResponse, body: [UInt8]) {
        let http = try await client()
        do {
            let response = try await http.execute(request, timeout: .seconds(seconds))
            let bound = response.status == .ok ? limit : Self.errorBytes
            let body = try await response.body.collect(upTo: bound)
            return (response, Array(body.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw UpstreamError(.tooLarge, "the answer of \(server) has more than \(limit) bytes")
        } catch {
            throw UpstreamError(.unreachable, "\(server) cannot be reached: \(Self.reason(error))")
        }
    }

    /// The client for the authorities that the file holds now.
    private func client() async throws(UpstreamError) -> HTTPClient {
        let bytes = try authorityBytes()
        if let present = link.withLock({ $0 }), present.authorities == bytes { return present.http }
        let made = try makeClient(bytes)
        let old = link.withLock { link in
            defer { link = Link(authorities: bytes, http: made) }
            return link?.http
        }
        // Its connections were made with authorities that are not trusted any more.
        try? await old?.shutdown()
        return made
    }

    private func authorityBytes() throws(UpstreamError) -> [UInt8]? {
        guard let authorities else { return nil }
        do {
            guard let bytes = try DurableFile.read(authorities) else {
                throw UpstreamError(.badAuthorities, "TOLLGATE_UPSTREAM_CA_FILE: \(authorities) is not there")
            }
            return bytes
        } catch let error as UpstreamError {
            throw error
        } catch {
            throw UpstreamError(.badAuthorities, "TOLLGATE_UPSTREAM_CA_FILE: \(error)")
        }
    }

    private func makeClient(_ bytes: [UInt8]?) throws(UpstreamError) -> HTTPClient {
        let file = authorities ?? ""
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let bytes {
            do {
                let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
                guard !certificates.isEmpty else {
                    throw UpstreamError(.badAuthorities, "TOLLGATE_UPSTREAM_CA_FILE: \(file) holds no certificate")
                }
                tls.trustRoots = .certificates(certificates)
            } catch let error as UpstreamError {
                throw error
            } catch {
                throw UpstreamError(
                    .badAuthorities, "TOLLGATE_UPSTREAM_CA_FILE: \(file) is not a PEM file of certificates")
            }
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(Self.connectSeconds)
        configuration.timeout.read = .nanoseconds(readTimeout.wholeMicroseconds * 1000)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// A refusal in the operator's words, and what usually mends it.
    private func refusal(_ status: Int, _ body: [UInt8]) -> UpstreamError {
        // A body that is no envelope is not shown: it may be anything.
        let envelope = (try? JSONParser.parse(body))?.objectValue
        let code = envelope?["code"]?.stringValue
        let words = code.flatMap { _ in envelope?["message"]?.stringValue } ?? "status \(status)"
        let hint =
            switch status {
            case 401:
                ": the credential is not one that \(server) knows; see TOLLGATE_TOKEN and TOLLGATE_UPSTREAM_TOKEN_FILE"
            case 403: ": the credential needs permission decisions:evaluate and the tenant of the AuthConfig"
            default: ""
            }
        return UpstreamError(
            .refused, status: status, refusal: code,
            "\(server) refused with \(status)\(code.map { " \($0)" } ?? ""): \(words)\(hint)")
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription }
        if error is NIOSSLError || error is BoringSSLError {
            return "no trusted TLS connection (\(error)); see TOLLGATE_UPSTREAM_CA_FILE"
        }
        if error is NIOConnectionError || error is IOError { return "no connection" }
        return "\(type(of: error))"
    }

    /// Everything but unreserved characters and the slash escaped.
    private static func escaped(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2F: result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                result.append(contentsOf: Hex.encode([byte]).uppercased().utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
