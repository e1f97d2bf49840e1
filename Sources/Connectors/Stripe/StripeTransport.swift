// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import NIOCore
internal import NIOHTTP1

/// Sends one request to Stripe over kept-alive connections and reads the answer.
final class StripeTransport: Sendable {
    /// The most bytes of an answer.
    static let maximumBytes = 4_194_304

    /// A request, whatever it carries.
    struct Request: Sendable {
        var method: String
        /// With a slash in front, query included.
        var path: String
        var form: FormBody?
        var idempotencyKey: String?
    }

    /// What came back.
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
        var retryAfterSeconds: Int64?
        /// What Stripe itself says about another try.
        var shouldRetry: Bool?
    }

    /// Why nothing came back.
    enum Fault: Error, Sendable, Hashable {
        case unreachable(String)
        case tooLarge
        case cancelled
    }

    private let client: HTTPClient
    private let settings: StripeSettings
    private let clock: any WallClock

    init(_ settings: StripeSettings, clock: any WallClock) {
        let limit = TimeAmount.nanoseconds(settings.timeout.wholeMicroseconds * 1000)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: limit, read: limit)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.settings = settings
        self.clock = clock
    }

    deinit {
        // Connections that do not close in order change nothing: nobody waits for their answers.
        client.shutdown { _ in }
    }

    /// One try, within the time of the settings from the connection to the last byte.
    func send(_ wanted: Request, key: Redacted<String>) async throws(Fault) -> Answer {
        var request = HTTPClientRequest(url: settings.base + wanted.path)
        request.method = HTTPMethod(rawValue: wanted.method)
        request.headers.add(name: "authorization", value: "Bearer \(key.revealed)")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate")
        if let version = settings.version { request.headers.add(name: "stripe-version", value: version) }
        if let idempotencyKey = wanted.idempotencyKey {
            request.headers.add(name: "idempotency-key", value: idempotencyKey)
        }
        if let form = wanted.form {
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(bytes: form.bytes))
        }
        do {
            let response = try await client.execute(
                request, timeout: .nanoseconds(settings.timeout.wholeMicroseconds * 1000))
            let body = try await response.body.collect(upTo: Self.maximumBytes)
            return Answer(
                status: Int(response.status.code), body: Array(body.readableBytesView),
                retryAfterSeconds: response.headers.first(name: "retry-after").flatMap {
                    RetryAfter.seconds($0, at: clock.now())
                },
                shouldRetry: response.headers.first(name: "stripe-should-retry").flatMap { Bool($0) })
        } catch is NIOTooManyBytesError {
            throw .tooLarge
        } catch is CancellationError {
            throw .cancelled
        } catch let error as HTTPClientError {
            throw error == .cancelled ? .cancelled : .unreachable(error.shortDescription)
        } catch {
            throw .unreachable("\(type(of: error))")
        }
    }
}
