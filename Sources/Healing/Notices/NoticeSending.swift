// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Sends notices by one channel.
package protocol NoticeSending: Sendable {
    /// Sends it once.
    ///
    /// - Throws: `NoticeError`, whose words hold no secret.
    func send(_ notice: HealingNotice) async throws(NoticeError)
}

/// Why a notice could not be sent.
package struct NoticeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether another try can help.
    package enum Retry: Sendable, Hashable {
        case later
        /// The receiver has asked for so many seconds of peace.
        case after(seconds: Int64)
        /// The receiver has understood it and will not have it.
        case never
    }

    /// For people; without addresses, which may be secrets.
    package let message: String
    package let retry: Retry

    package init(_ message: String, retry: Retry = .later) {
        self.message = message
        self.retry = retry
    }

    package var description: String { message }
}
