// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials
package import Logging
package import Metrics
internal import Synchronization

/// Speaks to Stripe: one key at a time, every write with an idempotency key, tried again where that can help, and kept away for a while when
/// Stripe does not answer.
package final class StripeClient: Sendable {
    private let transport: StripeTransport
    private let key: @Sendable () -> Redacted<String>?
    private let clock: any WallClock
    private let time: any MonotonicClock
    private let random: any RandomSource
    private let logger: Logger
    private let metrics: StripeMetrics
    private let breaker: Mutex<CircuitBreaker>

    /// - Parameter key: the one in force now; nil = none is configured. It is asked for every call, so that a new one needs no restart.
    package init(
        settings: StripeSettings, key: @escaping @Sendable () -> Redacted<String>?, clock: any WallClock,
        time: any MonotonicClock = SystemMonotonicClock(), random: any RandomSource = SystemRandomSource(),
        breaker: CircuitBreaker = CircuitBreaker(), logger: Logger, metricsFactory: any MetricsFactory
    ) {
        transport = StripeTransport(settings, clock: clock)
        self.key = key
        self.clock = clock
        self.time = time
        self.random = random
        self.breaker = Mutex(breaker)
        self.logger = logger
        metrics = StripeMetrics(factory: metricsFactory)
    }

    /// Reads.
    func get(_ operation: StripeOperation, _ path: String) async throws(Refusal) -> JSONValue {
        try await call(operation, StripeTransport.Request(method: "GET", path: path))
    }

    /// Writes once, however often the same wish is sent.
    func write(
        _ operation: StripeOperation, _ method: String, _ path: String, form: FormBody, account: String, wish: String
    ) async throws(Refusal) -> JSONValue {
        let key = Self.idempotencyKey(
            account: account, wish: wish, operation: operation, request: "\(method) \(path)?\(form.text)")
        return try await call(
            operation, StripeTransport.Request(method: method, path: path, form: form, idempotencyKey: key))
    }

    /// The same for the same account, wish and request, and for nothing else.
    static func idempotencyKey(account: String, wish: String, operation: StripeOperation, request: String) -> String {
        var digest = SHA256()
        for text in [account, wish, operation.rawValue, request] {
            // Lengths keep texts apart.
            digest.update(data: Array("\(text.utf8.count):\(text)".utf8))
        }
        return "tollgate-" + Hex.encode(Array(digest.finalize()))
    }

    private func call(
        _ operation: StripeOperation, _ request: StripeTransport.Request
    ) async throws(Refusal) -> JSONValue {
        guard let key = key() else {
            metrics.called(operation, .notConfigured)
            throw Refusal(.billingNotConfigured)
        }
        do throws(StripeFailure) {
            let answer = try await tried(request, key: key)
            metrics.called(operation, .ok)
            return answer
        } catch {
            metrics.called(operation, error.result)
            logger.warning(
                "a call to Stripe failed",
                metadata: [
                    LogKeys.path: "\(operation.rawValue)", LogKeys.reason: "\(error.summary)",
                    LogKeys.code: "\(error.stripeCode ?? "none")",
                ])
            throw error.refusal
        }
    }

    private func tried(
        _ request: StripeTransport.Request, key: Redacted<String>
    ) async throws(StripeFailure) -> JSONValue {
        var tries = 0
        while true {
            let attempt = try await attempt(request, key: key)
            tries += 1
            let failure: StripeFailure
            let retryAfter: Int64?
            switch attempt {
            case .success(let answer):
                let json = try? JSONParser.parse(answer.body)
                if (200..<300).contains(answer.status) {
                    guard let json else { throw .unreadable }
                    return json
                }
                failure = StripeFailure(status: answer.status, body: json)
                guard StripeRetry.isTemporary(answer, code: failure.stripeCode) else { throw failure }
                retryAfter = answer.retryAfterSeconds
            case .failure(let fault):
                failure = StripeFailure(fault)
                guard case .unreachable = fault else { throw failure }
                retryAfter = nil
            }
            guard tries < StripeRetry.tries else { throw failure }
            let pause = StripeRetry.pause(after: tries - 1, retryAfterSeconds: retryAfter, random: random)
            do {
                try await time.pause(for: pause)
            } catch {
                throw .cancelled
            }
        }
    }

    private func attempt(
        _ request: StripeTransport.Request, key: Redacted<String>
    ) async throws(StripeFailure) -> Result<StripeTransport.Answer, StripeTransport.Fault> {
        let asked = clock.now()
        guard let permit = breaker.withLock({ $0.permit(at: asked) }) else { throw .breakerOpen }
        let result: Result<StripeTransport.Answer, StripeTransport.Fault>
        do throws(StripeTransport.Fault) {
            result = .success(try await transport.send(request, key: key))
        } catch {
            result = .failure(error)
        }
        let outcome: CircuitBreaker.Outcome =
            switch result {
            case .success(let answer): answer.status >= 500 ? .failed : .answered
            case .failure(.cancelled): .abandoned
            case .failure(.unreachable): .failed
            case .failure(.tooLarge): .answered
            }
        let ended = clock.now()
        let (hasChanged, state) = breaker.withLock { ($0.ended(permit, outcome, at: ended), $0.state.name) }
        if hasChanged {
            logger.notice("Stripe's breaker", metadata: [LogKeys.status: "\(state)"])
        }
        return result
    }
}
