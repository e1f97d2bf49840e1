// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import ResourceModel

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Makes an outcome of what the HTTP client throws.
enum CallFailure {
    static func outcome(_ error: any Error) -> RetryRule.Outcome {
        switch error {
        case let error as KubernetesError: return .init(error: error, wasNotExecuted: false)
        case is CancellationError:
            return .init(error: KubernetesError(.cancelled, message: "the call was cancelled"), wasNotExecuted: false)
        case let error as HTTPClientError: return client(error)
        case is NIOTooManyBytesError:
            return .init(
                error: KubernetesError(.malformedAnswer, message: "the answer is larger than it may be"),
                wasNotExecuted: false)
        default: return unreachable(error, wasNotExecuted: isFailureToConnect(error))
        }
    }

    private static func client(_ error: HTTPClientError) -> RetryRule.Outcome {
        switch error {
        case .cancelled where Task.isCancelled:
            return .init(error: KubernetesError(.cancelled, message: "the call was cancelled"), wasNotExecuted: false)
        case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout:
            return .init(
                error: KubernetesError(.timedOut, message: "the API server did not answer in time"),
                wasNotExecuted: false)
        case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .socksHandshakeTimeout:
            return unreachable(error, wasNotExecuted: true)
        default: return unreachable(error, wasNotExecuted: false)
        }
    }

    private static func unreachable(_ error: any Error, wasNotExecuted: Bool) -> RetryRule.Outcome {
        .init(
            error: KubernetesError(.unreachable, message: "the API server cannot be reached: \(words(error))"),
            wasNotExecuted: wasNotExecuted)
    }

    /// Before a connection stands, nothing was sent.
    private static func isFailureToConnect(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as IOError: error.errnoCode == ECONNREFUSED
        case let error as NIOSSLError:
            if case .handshakeFailed = error { true } else { false }
        case is NIOSSLExtraError: true
        case let error as ChannelError:
            if case .connectTimeout = error { true } else { false }
        default: false
        }
    }

    private static func words(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        guard let error = error as? NIOConnectionError else { return String(describing: error) }
        let reasons = error.connectionErrors.map { "\($0.target): \(words($0.error))" }
        return "\(error.host):\(error.port)\(reasons.isEmpty ? "" : " (\(reasons.joined(separator: ", ")))")"
    }
}

extension RetryRule.Outcome {
    /// What becomes of calls after `shutdown()`.
    static let shutDown = RetryRule.Outcome(
        error: KubernetesError(.cancelled, message: "the client is shut down"), wasNotExecuted: true)
}
