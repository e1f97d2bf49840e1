// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import Pipeline
internal import Synchronization

/// One request, read once: what every door, handler and record of it uses.
final class Exchange: Sendable {
    let requestID: String
    /// As sent; HEAD stays HEAD.
    let method: String
    /// Path and query as received.
    let target: String
    /// The path as sent, without its query.
    let pathAsSent: Substring
    /// The same, for records where nothing canonical is known.
    let rawPath: String
    let authority: String?
    /// Lower-case names, one pass over the fields.
    let headers: HeaderList
    /// The transport's other end.
    let peer: IPAddress
    let peerIsTrusted: Bool
    /// By the trusted-proxy rule.
    let client: IPAddress
    let clientIsTrusted: Bool
    let receivedAt: Timestamp
    /// Where its answer is counted, as far as is known yet; nil where it is not.
    private let counter: Mutex<HTTPRouteCounter?>
    /// What the answer means, where an upgrade hides it.
    private let meaning = Mutex<Int?>(nil)
    private let connection: ClientConnection

    init(request: Request, context: GateContext, dependencies: HTTPDependencies, counter: HTTPRouteCounter?) {
        self.counter = Mutex(counter)
        let peer = context.peer ?? dependencies.unknownPeer
        self.peer = peer
        headers = HeaderList(request.headers)
        peerIsTrusted = dependencies.addresses.isTrusted(peer)
        client = peerIsTrusted ? dependencies.addresses.resolve(peer: peer, headers: headers) : peer
        clientIsTrusted = peerIsTrusted && (client == peer || dependencies.addresses.isTrusted(client))
        receivedAt = dependencies.clock.now()
        requestID = RequestIdentifier.choose(headers: headers, isFromTrustedPeer: peerIsTrusted, at: receivedAt)
        method = request.method.rawValue
        target = request.head.path ?? ""
        if let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
            pathAsSent = target[..<end]
            rawPath = String(pathAsSent)
        } else {
            pathAsSent = target[...]
            rawPath = target
        }
        authority = request.head.authority
        connection = context.connection
    }

    /// Whether whoever asked has gone: no answer will reach anybody.
    var isGone: Bool { connection.isGone }

    /// Cuts the connection, whatever is still to be written.
    func abort() { connection.cut() }

    /// Sets where the answer is counted.
    func isCounted(by counter: HTTPRouteCounter?) { self.counter.withLock { $0 = counter } }

    /// Sets what an answer 101 means that is a refusal: the connection is taken only to say why it is closed.
    func means(status: Int) { meaning.withLock { $0 = status } }

    /// Counts the answer.
    func isAnswered(status: Int) {
        let status = status == 101 ? meaning.withLock { $0 } ?? status : status
        counter.withLock { $0 }?.count(method: method, status: status)
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
