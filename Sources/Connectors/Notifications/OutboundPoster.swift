// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
package import Authentication
package import Essentials
package import Healing
internal import NIOCore
internal import NIOHTTP1
package import NIOSSL

/// Posts small documents to addresses that the operator set, within the outgoing guard: no redirects, no proxy, ten seconds, bounded answers.
package struct OutboundPoster: Sendable {
    /// The most bytes of an answer that are read.
    package static let maximumBytes = 65_536

    /// What came back.
    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]
        /// How long `Retry-After` asks to wait, in seconds; nil where it is missing, or neither a number nor a date.
        package let retryAfterSeconds: Int64?
    }

    private let egress: EgressRules
    private let tls: TLSConfiguration
    private let limit: Duration
    private let clock: any WallClock
    private let time: any MonotonicClock

    /// - Parameters:
    ///   - egress: what may be reached over http.
    ///   - limit: from the connection to the last byte of the answer.
    ///   - clock: what the dates of answers are measured by.
    package init(
        egress: EgressRules, tls: TLSConfiguration = .makeClientConfiguration(), limit: Duration = .seconds(10),
        clock: any WallClock = SystemWallClock(), time: any MonotonicClock = SystemMonotonicClock()
    ) {
        self.egress = egress
        self.tls = tls
        self.limit = limit
        self.clock = clock
        self.time = time
    }

    /// Posts JSON.
    ///
    /// - Throws: `OutboundError`, whose words hold neither the address nor what was sent.
    package func post(
        _ body: [UInt8], to url: Redacted<String>, headers: [(String, String)] = []
    ) async throws(OutboundError) -> Answer {
        do {
            _ = try egress.check(url.revealed, trust: .settings)
        } catch {
            throw OutboundError("the address is not one that may be called: \(error.message)")
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .microseconds(limit.wholeMicroseconds))
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        // An answer that comes byte by byte takes no longer than one that does not come.
        let result = await time.limited(to: limit) { () async -> Result<Answer, OutboundError> in
            do throws(OutboundError) {
                return .success(try await send(body, to: url, headers: headers, with: client))
            } catch {
                return .failure(error)
            }
        }
        // The answer is here or not; a connection that does not close in order changes nothing about it.
        try? await client.shutdown()
        guard let result else { throw OutboundError("no answer within \(limit)") }
        return try result.get()
    }

    private func send(
        _ body: [UInt8], to url: Redacted<String>, headers: [(String, String)], with client: HTTPClient
    ) async throws(OutboundError) -> Answer {
        var request = HTTPClientRequest(url: url.revealed)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate")
        for header in headers { request.headers.add(name: header.0, value: header.1) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, deadline: .distantFuture)
            let bytes = try await response.body.collect(upTo: Self.maximumBytes)
            return Answer(
                status: Int(response.status.code), body: Array(bytes.readableBytesView),
                retryAfterSeconds: response.headers.first(name: "retry-after").flatMap {
                    RetryAfter.seconds($0, at: clock.now())
                })
        } catch is NIOTooManyBytesError {
            throw OutboundError("the answer has more than \(Self.maximumBytes) bytes")
        } catch let error as HTTPClientError {
            throw OutboundError("no answer: \(error.shortDescription)")
        } catch {
            throw OutboundError("no answer: \(type(of: error))")
        }
    }
}

extension OutboundPoster.Answer {
    /// Why a receiver did not take a notice, and whether another try can help; nil when it took it.
    ///
    /// - Parameter receiver: who it is, for people.
    package func refusal(by receiver: String) -> NoticeError? {
        guard !(200..<300).contains(status) else { return nil }
        let message = "\(receiver) answered \(status)"
        switch status {
        // Too slow, too early, too many: it may be taken another time.
        case 408, 425, 429, 500...:
            return NoticeError(message, retry: retryAfterSeconds.map { .after(seconds: $0) } ?? .later)
        case 400...: return NoticeError(message, retry: .never)
        default: return NoticeError(message)
        }
    }
}

/// Why a document could not be posted.
package struct OutboundError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people; without the address, which may be a secret.
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
