// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a call gave no answer.
package enum OPACallFailure: Error, Sendable, Hashable {
    /// No connection, or one that ended before the answer did.
    case connection(String)
    case timeout
    case serverError(status: Int)
    /// Any other status than 200.
    case badStatus(status: Int)
    case unreadable(EngineAnswerReader.Fault)
    case breakerOpen
    /// This side gave up.
    case cancelled

    /// Whether `OPA_FAIL_OPEN` covers it. What was answered, however badly, never opens anything.
    package var mayFailOpen: Bool {
        switch self {
        case .connection, .timeout, .serverError, .breakerOpen: true
        case .badStatus, .unreadable, .cancelled: false
        }
    }

    /// What the breaker learns from it.
    var outcome: CircuitBreaker.Outcome {
        switch self {
        case .connection, .timeout, .serverError: .failed
        // The engine is there. Were these failures, wrong answers could open the breaker, and that would fail open.
        case .badStatus, .unreadable: .answered
        case .breakerOpen, .cancelled: .abandoned
        }
    }

    /// The value of the metric's label.
    package var label: String {
        switch self {
        case .connection: "connection"
        case .timeout: "timeout"
        case .serverError: "server_error"
        case .badStatus: "bad_status"
        case .unreadable: "unreadable"
        case .breakerOpen: "breaker_open"
        case .cancelled: "cancelled"
        }
    }

    static let labels = [
        "connection", "timeout", "server_error", "bad_status", "unreadable", "breaker_open", "cancelled",
    ]

    /// For health pages: names no address.
    var summary: String {
        if case .connection = self { return "no connection" }
        return detail
    }

    /// For people; holds nothing of what was asked.
    package var detail: String {
        switch self {
        case .connection(let reason): reason
        case .timeout: "no answer in time"
        case .serverError(let status), .badStatus(let status): "status \(status)"
        case .unreadable(let fault): fault.rawValue
        case .breakerOpen: "the last calls failed: not asked for a while"
        case .cancelled: "given up"
        }
    }
}
