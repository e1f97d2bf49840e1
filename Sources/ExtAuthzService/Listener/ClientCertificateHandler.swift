// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Notes a connection whose client certificate was verified, from the end of its handshake to its own end.
///
/// A certificate that does not hold ends the handshake, so one that is there afterwards is good. No call is read before the handshake is over.
final class ClientCertificateHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let peers: VerifiedPeers
    private var name: PeerName?

    init(peers: VerifiedPeers) { self.peers = peers }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { note(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        forget()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { forget() }

    private func note(_ context: ChannelHandlerContext) {
        do {
            guard try context.pipeline.syncOperations.nioSSL_peerCertificate() != nil,
                let name = context.channel.remoteAddress.flatMap({ PeerName($0) })
            else { return }
            self.name = name
            peers.insert(name)
        } catch {
            // Without the handler that knows the certificate there is none: nobody is trusted for it.
            return
        }
    }

    private func forget() {
        guard let name else { return }
        self.name = nil
        peers.remove(name)
    }
}
