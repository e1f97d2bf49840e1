// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import Pipeline

/// One request, read once: what every door, handler and record of it uses.
final class Exchange: Sendable {
    let requestID: String
    /// As sent; HEAD stays HEAD.
    let method: String
    /// Path and query as received.
    let target: String
    let authority: String?
    /// Lower-case names, one pass over the fields.
    let headers: HeaderList
    let peerIsTrusted: Bool
    /// By the trusted-proxy rule.
    let client: IPAddress
    let clientIsTrusted: Bool
    let receivedAt: Timestamp

    init(request: Request, context: GateContext, dependencies: HTTPDependencies) {
        let peer = context.peer ?? dependencies.unknownPeer
        headers = HeaderList(request.headers)
        peerIsTrusted = dependencies.addresses.isTrusted(peer)
        client = peerIsTrusted ? dependencies.addresses.resolve(peer: peer, headers: headers) : peer
        clientIsTrusted = peerIsTrusted && (client == peer || dependencies.addresses.isTrusted(client))
        receivedAt = dependencies.clock.now()
        requestID = RequestIdentifier.choose(headers: headers, isFromTrustedPeer: peerIsTrusted, at: receivedAt)
        method = request.method.rawValue
        target = request.head.path ?? ""
        authority = request.head.authority
    }

    /// The path as sent, without its query, for records where nothing canonical is known.
    var rawPath: String { String(pathAsSent) }

    /// The path as sent, without its query.
    var pathAsSent: Substring {
        target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)]
    }

    /// The header that a proxy names client certificates in; from anybody else it is not looked at.
    var clientCertificate: String? {
        guard peerIsTrusted else { return nil }
        let lines = headers.all("x-forwarded-client-cert")
        return lines.isEmpty ? nil : lines.joined(separator: ",")
    }
}

extension HeaderList {
    /// Takes the fields of a request, whose names the library has lower-cased already.
    init(_ fields: HTTPFields) {
        var list: [HeaderList.Field] = []
        list.reserveCapacity(fields.count)
        for field in fields { list.append(Field(name: field.name.canonicalName, value: field.value)) }
        self.init(lowercasedFields: list)
    }
}
