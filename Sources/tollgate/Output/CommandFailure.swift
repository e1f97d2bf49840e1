// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// How a command ended, as the shell sees it.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case otherFault = 1
    case usage = 2
    case unauthenticated = 3
    case forbidden = 4
    case notFound = 5
    case conflict = 6
    case rateLimited = 7
    case unavailable = 8

    /// The one that goes with an HTTP status that is no success.
    init(httpStatus: Int) {
        switch httpStatus {
        case 401: self = .unauthenticated
        case 402, 403: self = .forbidden
        case 404: self = .notFound
        case 409: self = .conflict
        case 429: self = .rateLimited
        case 503: self = .unavailable
        default: self = .otherFault
        }
    }
}

/// Why a command failed, ready to be shown. Never holds a secret.
struct CommandFailure: Error, Sendable, CustomStringConvertible {
    let exit: ExitStatus
    let message: String
    /// The error envelope of the server, where there is one.
    let envelope: JSONObject?
    /// The HTTP status, where there is one.
    let httpStatus: Int?
    /// The form in which it is shown.
    let format: OutputFormat

    init(
        _ exit: ExitStatus, _ message: String, envelope: JSONObject? = nil, httpStatus: Int? = nil,
        format: OutputFormat = .table
    ) {
        self.exit = exit
        self.message = message
        self.envelope = envelope
        self.httpStatus = httpStatus
        self.format = format
    }

    var description: String { message }

    /// What goes to standard error.
    var shown: String {
        guard format != .table else {
            let code = envelope?["code"]?.stringValue.map { " (\($0))" } ?? ""
            return "Error: " + message + code
        }
        var object = envelope ?? ["code": .string(localCode), "message": .string(message)]
        object["status"] = httpStatus.map { .int(Int64($0)) } ?? .null
        return format.text(of: .object(object))
    }

    private var localCode: String {
        switch exit {
        case .usage: "client.usage"
        case .unavailable: "client.no_connection"
        default: "client.failed"
        }
    }
}
