// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import ResourceModel

/// Sends requests with the credential in force, and again where that may help.
struct APITransport: Sendable {
    /// The most bytes that are read of an answer that is no success.
    private static let maximumErrorBytes = 1 << 20

    let urlPrefix: String
    /// Set where the URL's host is not the server's.
    let hostHeader: String?
    let userAgent: String
    let settings: HTTPKubernetesAPI.Settings
    let pool: ClientPool
    let credentials: CredentialStore
    let material: TLSMaterialReader
    let metrics: RESTClientMetrics
    let time: any MonotonicClock
    let random: any RandomSource

    /// Sends a request and reads its answer, with as many attempts as its method and the failures allow.
    ///
    /// - Parameters:
    ///   - mayRepeat: asked after a failure; false when the reader has already passed something on.
    ///   - read: reads the body of an answer that is a success.
    func perform<Value>(
        _ request: APIRequest, mayRepeat: () -> Bool = { true },
        read: (HTTPClientResponse) async throws -> Value
    ) async throws(KubernetesError) -> Value {
        var attempt = 1
        var hasRenewed = false
        while true {
            let credential = try await credentials.current()
            let outcome: RetryRule.Outcome
            switch await attemptOnce(request, credential, read) {
            case .success(let value): return value
            case .failure(let failure): outcome = failure.outcome
            }
            if outcome.error.code == .unauthorized, !hasRenewed, credentials.canRenew {
                hasRenewed = true
                credentials.refused(credential)
                continue
            }
            guard mayRepeat(), !Task.isCancelled,
                let pause = settings.retries.pause(
                    after: outcome, method: request.method, attempt: attempt, jitter: jitter())
            else { throw outcome.error }
            attempt += 1
            do {
                try await time.pause(for: pause)
            } catch {
                throw KubernetesError(.cancelled, message: "the call was cancelled")
            }
        }
    }

    /// Opens a watch, with a renewed credential where the first is refused; other failures are for whoever follows the watch.
    ///
    /// - Parameter read: reads the body for as long as it likes.
    func follow(
        _ request: APIRequest, read: @Sendable (HTTPClientResponse) async throws -> Void
    ) async throws(KubernetesError) {
        var hasRenewed = false
        while true {
            let credential = try await credentials.current()
            switch await attemptOnce(request, credential, isWatch: true, read) {
            case .success: return
            case .failure(let failure):
                guard failure.outcome.error.code == .unauthorized, !hasRenewed, credentials.canRenew else {
                    throw failure.outcome.error
                }
                hasRenewed = true
                credentials.refused(credential)
            }
        }
    }

    private struct Failure: Error {
        let outcome: RetryRule.Outcome
    }

    private func attemptOnce<Value>(
        _ request: APIRequest, _ credential: CredentialStore.Current, isWatch: Bool = false,
        _ read: (HTTPClientResponse) async throws -> Value
    ) async -> Result<Value, Failure> {
        let pair: ClientPool.Pair
        do throws(ClusterConnectionError) {
            var material = try material.current()
            if let certificate = credential.credential.certificate { material.certificate = certificate }
            guard let leased = try pool.lease(material) else {
                return .failure(
                    Failure(
                        outcome: .init(
                            error: KubernetesError(.cancelled, message: "the client is shut down"), wasNotExecuted: true
                        )))
            }
            pair = leased
        } catch {
            return .failure(
                Failure(
                    outcome: .init(error: KubernetesError(.unreachable, message: error.message), wasNotExecuted: true)))
        }
        defer { pool.release(pair) }
        let stopwatch = Stopwatch()
        let deadline = isWatch ? NIODeadline.distantFuture : .now() + settings.requestTimeout.timeAmount
        let response: HTTPClientResponse
        do {
            response = try await (isWatch ? pair.watches : pair.calls).execute(
                http(request, credential.credential), deadline: deadline)
        } catch {
            metrics.ended(request.method, status: nil, nanoseconds: stopwatch.nanoseconds)
            return .failure(failure(error))
        }
        metrics.ended(request.method, status: Int(response.status.code), nanoseconds: stopwatch.nanoseconds)
        do {
            guard (200..<300).contains(response.status.code) else {
                return .failure(Failure(outcome: try await refusal(response)))
            }
            return .success(try await read(response))
        } catch {
            return .failure(failure(error))
        }
    }

    private func failure(_ error: any Error) -> Failure {
        // Calls that shutting down ends were not lost on the way.
        guard !pool.isClosed else { return Failure(outcome: .shutDown) }
        return Failure(outcome: CallFailure.outcome(error))
    }

    private func refusal(_ response: HTTPClientResponse) async throws -> RetryRule.Outcome {
        let status = Int(response.status.code)
        var body: [UInt8] = []
        do {
            body = Array(try await response.body.collect(upTo: Self.maximumErrorBytes).readableBytesView)
        } catch is NIOTooManyBytesError {
            // The status code says enough.
        }
        let error = StatusReader.error(
            status: status, body: body, retryAfter: response.headers.first(name: "retry-after"))
        return .init(error: error, wasNotExecuted: status == 429)
    }

    private func http(_ request: APIRequest, _ credential: Credential) -> HTTPClientRequest {
        var http = HTTPClientRequest(url: urlPrefix + request.target)
        http.method = HTTPMethod(rawValue: request.method.rawValue)
        if let hostHeader { http.headers.add(name: "host", value: hostHeader) }
        http.headers.add(name: "accept", value: request.accept)
        http.headers.add(name: "user-agent", value: userAgent)
        if let token = credential.token { http.headers.add(name: "authorization", value: "Bearer \(token.revealed)") }
        if let type = request.contentType { http.headers.add(name: "content-type", value: type) }
        if let body = request.body { http.body = .bytes(ByteBuffer(bytes: body)) }
        return http
    }

    private func jitter() -> Double {
        let bytes = random.bytes(2)
        return Double(UInt16(bytes[0]) << 8 | UInt16(bytes[1])) / 65_536
    }
}
