// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import NIOCore
internal import NIOHTTP1

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Posts questions over kept-alive connections, at most 32 of them.
final class OPATransport: Sendable {
    private static let maximumConnections = 32

    private let client: HTTPClient
    private let endpoint: String
    private let healthURL: String

    init(_ settings: OPAClientSettings) {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        // The limit of a call ends with the head of its answer: a body that stalls after it has this one.
        configuration.timeout = .init(connect: settings.timeout.timeAmount, read: settings.timeout.timeAmount)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.maximumConnections
        // A refused connection is an answer: whether to try again is not for the pool to say.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        endpoint = settings.endpoint
        healthURL = "\(settings.url)/health"
    }

    deinit {
        // Connections that do not close in order change nothing: nobody waits for their answers.
        client.shutdown { _ in }
    }

    /// Asks, and asks once more when the connection turned out to be closed by the other side.
    ///
    /// - Parameter limit: for the whole call.
    func post(_ body: [UInt8], limit: Duration) async -> Result<[UInt8], OPACallFailure> {
        let deadline = NIODeadline.now() + limit.timeAmount
        switch await attempt(body, deadline: deadline) {
        case .answer(let bytes): return .success(bytes)
        case .failed(let failure): return .failure(failure)
        case .closed: break
        }
        switch await attempt(body, deadline: deadline) {
        case .answer(let bytes): return .success(bytes)
        case .failed(let failure): return .failure(failure)
        case .closed: return .failure(.connection("the connection was closed before the answer"))
        }
    }

    /// Whether the engine's server answers at all.
    func isUp(limit: Duration) async -> Bool {
        do {
            let response = try await client.execute(
                HTTPClientRequest(url: healthURL), deadline: .now() + limit.timeAmount)
            _ = try await response.body.collect(upTo: EngineAnswerReader.maximumBytes)
            return response.status.code < 500
        } catch {
            return false
        }
    }

    private enum Attempt {
        case answer([UInt8])
        case failed(OPACallFailure)
        /// By the other side.
        case closed
    }

    private func attempt(_ body: [UInt8], deadline: NIODeadline) async -> Attempt {
        var request = HTTPClientRequest(url: endpoint)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate")
        request.body = .bytes(ByteBuffer(bytes: body))
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, deadline: deadline)
        } catch {
            return Self.wasClosed(error) ? .closed : .failed(Self.failure(error))
        }
        do {
            // Read whatever the status, so that the connection can be used again.
            let answer = try await response.body.collect(upTo: EngineAnswerReader.maximumBytes)
            guard response.status == .ok else { return .failed(Self.failure(ofStatus: Int(response.status.code))) }
            return .answer(Array(answer.readableBytesView))
        } catch is NIOTooManyBytesError where response.status != .ok {
            return .failed(Self.failure(ofStatus: Int(response.status.code)))
        } catch {
            return .failed(Self.failure(error))
        }
    }

    private static func failure(ofStatus status: Int) -> OPACallFailure {
        status >= 500 ? .serverError(status: status) : .badStatus(status: status)
    }

    private static func wasClosed(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed
        case let error as IOError: error.errnoCode == ECONNRESET || error.errnoCode == EPIPE
        default: false
        }
    }

    private static func failure(_ error: any Error) -> OPACallFailure {
        switch error {
        case is NIOTooManyBytesError: return .unreadable(.tooLarge)
        case is HTTPParserError: return .unreadable(.noJSON)
        case is CancellationError: return .cancelled
        case let error as HTTPClientError:
            switch error {
            case .cancelled: return .cancelled
            case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout: return .timeout
            default: return .connection(error.description)
            }
        default: return .connection(String(describing: error))
        }
    }
}

extension Duration {
    /// The same length for NIO.
    fileprivate var timeAmount: TimeAmount { .nanoseconds(wholeMicroseconds * 1000) }
}
