// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

extension AuditKinds {
    /// Durations of acknowledgements.
    @Sendable static func duration(_ record: CaseRecord) throws {
        let maximum = try #require(record.given["maximum_seconds"]?.intValue)
        let texts = try #require(record.given["texts"]?.arrayValue).map { try #require($0.stringValue) }
        let results = try #require(record.expect["results"]?.arrayValue)
        try #require(texts.count == results.count)
        for (text, expected) in zip(texts, results) {
            do throws(Refusal) {
                let seconds = try AckDuration.seconds(text, atMost: maximum)
                #expect(seconds == expected["seconds"]?.intValue, "\(text)")
            } catch {
                #expect(error.code.rawValue == expected["error"]?.stringValue, "\(text)")
            }
        }
    }
}
