// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The metadata keys of log lines. A key is named here once, so that a search over logs finds every line about a thing.
package enum LogKeys {
    package static let address = "address"
    package static let authConfig = "auth_config"
    package static let code = "code"
    package static let detail = "detail"
    package static let door = "door"
    package static let error = "error"
    package static let file = "file"
    package static let generation = "generation"
    package static let host = "host"
    package static let issuer = "issuer"
    package static let line = "line"
    package static let method = "method"
    package static let object = "object"
    package static let path = "path"
    package static let reason = "reason"
    package static let requestID = "request_id"
    package static let route = "route"
    package static let setting = "setting"
    package static let status = "status"
    package static let subject = "subject"
    package static let url = "url"
    package static let microseconds = "us"
}
