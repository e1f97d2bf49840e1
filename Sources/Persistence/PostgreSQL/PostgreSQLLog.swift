// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging

/// What is logged of a database: when it goes away and when it is back, each once.
struct PostgreSQLLog: Sendable {
    let logger: Logger

    func unreachable(_ error: PostgreSQLError) {
        logger.error("The database cannot be reached", metadata: [LogKeys.error: "\(error)"])
    }

    func reachable(_ address: PostgreSQLAddress) {
        logger.notice("The database is reached again", metadata: [LogKeys.address: "\(address)"])
    }
}
