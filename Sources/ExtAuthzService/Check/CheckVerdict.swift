// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a status comes to at the gRPC door. "No" is an answer, "I do not know" is an error of the call, so that what the proxy's operator set
/// for failures means what it says.
package enum CheckVerdict: Sendable, Hashable {
    /// The call succeeds; the answer says that the request may pass.
    case allowed
    /// The call succeeds; the answer says no.
    ///
    /// - Parameters:
    ///   - statusCode: a code of `google.rpc.Code`, never 0.
    ///   - httpStatus: what the client gets.
    case denied(statusCode: Int32, httpStatus: Int)
    /// The call fails with UNAVAILABLE.
    case unavailable

    /// The number of UNAVAILABLE.
    package static let unavailableCode: Int32 = 14

    /// The verdict for the status of a decision.
    package init(status: Int) {
        switch status {
        case 200: self = .allowed
        case 400..<500: self = .denied(statusCode: Self.code(of: status), httpStatus: status)
        default: self = .unavailable
        }
    }

    private static func code(of status: Int) -> Int32 {
        switch status {
        case 400, 413, 431: 3
        case 401: 16
        case 402, 429: 8
        case 404: 5
        default: 7
        }
    }
}
