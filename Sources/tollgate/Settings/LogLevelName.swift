// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// The levels of the log as settings name them.
enum LogLevelName: String, Sendable, CaseIterable {
    case trace
    case debug
    case info
    case notice
    case warning
    case warn
    case error
    case critical

    /// The logging library's own level.
    var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning, .warn: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}

/// The form of log lines.
enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object a line.
    case json
    /// For people.
    case text
}
