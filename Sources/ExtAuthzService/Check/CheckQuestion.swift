// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline

/// A Check call as far as every answer and record needs it; what may be wrong with it is found by `input()`.
struct CheckQuestion {
    private typealias Attributes = Envoy_Service_Auth_V3_AttributeContext

    /// The most that a body sent along may have.
    private static let maximumBodyBytes = 65_536

    let headers: HeaderList
    let requestID: String
    /// By the trusted-proxy rule.
    let client: IPAddress
    private let clientIsTrustedProxy: Bool
    private let attributes: Envoy_Service_Auth_V3_AttributeContext

    /// - Parameters:
    ///   - peer: who asks; a trusted proxy.
    ///   - addresses: which addresses are those of proxies.
    init(
        _ request: Envoy_Service_Auth_V3_CheckRequest, peer: IPAddress, addresses: ClientAddressResolver, now: Timestamp
    ) {
        attributes = request.attributes
        headers = Self.headers(request.attributes.request.http.headers)
        requestID = RequestIdentifier.choose(headers: headers, isFromTrustedPeer: true, at: now)
        if let source = IPAddress(request.attributes.source.address.socketAddress.address) {
            client = addresses.resolve(peer: source, headers: headers)
            clientIsTrustedProxy = addresses.isTrusted(client)
        } else {
            // A proxy that names no client stands for everybody behind it.
            client = addresses.resolve(peer: peer, headers: headers)
            clientIsTrustedProxy = client == peer || addresses.isTrusted(client)
        }
    }

    /// What the records of a refusal at the door say.
    var record: DoorRecords.Question {
        let target = attributes.request.http.path
        let path = target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)]
        return .init(
            door: .grpc, method: attributes.request.http.method, path: String(path), client: client,
            requestID: requestID)
    }

    /// Describes the original request to the pipeline.
    ///
    /// - Throws: `request.too_large`, `request.duplicate_header`.
    func input(patience: Duration?) throws(Refusal) -> DecisionInput {
        let http = attributes.request.http
        guard max(http.body.utf8.count, http.rawBody.count) <= Self.maximumBodyBytes else {
            throw Refusal(.requestTooLarge)
        }
        var input = DecisionInput(door: .grpc, requestID: requestID)
        input.method = Self.given(http.method)
        input.host = attributes.contextExtensions[Self.hostExtension].flatMap(Self.given) ?? Self.given(http.host)
        input.target = Self.given(http.path)
        input.scheme = Self.given(http.scheme) ?? "https"
        input.headers = headers
        input.clientAddress = client
        input.clientIsTrustedProxy = clientIsTrustedProxy
        input.clientCertificate = Self.given(attributes.source.certificate).map(Self.certificateElement)
        input.resource = try ResourceHeaders.read(headers)
        input.patience = patience
        return input
    }

    /// The context extension by which a route says which host it is.
    private static let hostExtension = "tollgate.dev/host"

    /// A text that is not set is empty on the wire.
    private static func given(_ text: String) -> String? { text.isEmpty ? nil : text }

    /// The certificate in the form of a header that proxies name certificates in, whose one reader then reads it. Text that could end the value
    /// early is no certificate.
    private static func certificateElement(_ text: String) -> String {
        let isPlain = !text.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        return isPlain ? "Cert=\"\(text)\"" : "Cert=\"\""
    }

    /// The lines without pseudo-headers, in the order of their names: a map has none of its own.
    private static func headers(_ map: [String: String]) -> HeaderList {
        var fields: [HeaderList.Field] = []
        fields.reserveCapacity(map.count)
        for (name, value) in map where !name.utf8.starts(with: ":".utf8) {
            fields.append(.init(name: ASCII.lowercased(name), value: value))
        }
        fields.sort { ($0.name, $0.value) < ($1.name, $1.value) }
        return HeaderList(lowercasedFields: fields)
    }
}
