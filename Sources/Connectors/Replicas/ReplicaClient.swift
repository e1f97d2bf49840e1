// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// One call to another replica and its answer.
package struct ReplicaCall: Sendable {
    package var method: String
    /// Path and query.
    package var target: String
    package var headers: HeaderList
    package var body: [UInt8]

    package init(method: String, target: String, headers: HeaderList = HeaderList(), body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// What the replica answered.
package struct ReplicaAnswer: Sendable {
    package var status: Int
    package var headers: HeaderList
    package var body: [UInt8]

    package init(status: Int, headers: HeaderList, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Calls other replicas of this installation: one connection for each call, no redirects, bounded in time and size.
package struct ReplicaClient: Sendable {
    /// The most bytes of an answer.
    package static let maximumAnswerBytes = 4 << 20
    private static let connectLimit = Duration.seconds(3)

    private let certificates: OwnCertificates?

    /// - Parameter certificateFile: what this replica serves TLS with, in PEM; nil where it serves plain text.
    package init(certificateFile: String?, time: any MonotonicClock = SystemMonotonicClock()) {
        certificates = certificateFile.map { OwnCertificates(path: $0, time: time) }
    }

    /// The answer of the replica at that address.
    ///
    /// - Parameter limit: from the beginning to the last byte.
    package func send(
        _ call: ReplicaCall, to address: ReplicaAddress, within limit: Duration
    ) async throws(ReplicaError) -> ReplicaAnswer {
        let trusted: ReplicaTrust?
        if address.usesTLS {
            guard let certificates else {
                throw ReplicaError(.badAddress, "\(address) speaks TLS and this replica has no certificate")
            }
            trusted = try ReplicaTrust(certificates.good())
        } else {
            guard certificates == nil else {
                throw ReplicaError(.badAddress, "\(address) speaks no TLS, and this replica does")
            }
            trusted = nil
        }
        let exchange = ReplicaExchange(
            limit: .microseconds(limit.wholeMicroseconds), maximumBytes: Self.maximumAnswerBytes)
        let result = await withTaskCancellationHandler {
            await exchange.run(call, to: address, trust: trusted, connect: min(limit, Self.connectLimit))
        } onCancel: {
            exchange.cancel()
        }
        return try result.get()
    }
}
