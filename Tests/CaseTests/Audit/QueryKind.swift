// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

extension AuditKinds {
    /// Evaluates a query over a named set of events, or expects its fault.
    @Sendable static func query(_ record: CaseRecord) throws {
        let text = try #require(record.given["query"]?.stringValue)
        if let fault = record.expect["error"] {
            do {
                _ = try BooleanQuery(parsing: text)
                Issue.record("\(record.id): \(text) was accepted")
            } catch {
                #expect(error.code == .auditBadQuery)
                #expect(error.details?["position"] == fault["position"], "\(record.id)")
                #expect(error.details?["reason"] == fault["reason"], "\(record.id)")
            }
            return
        }
        let sets = try CaseFile.sets(area: "audit")
        let name = try #require(record.given["set"]?.stringValue)
        let events = try #require(sets[name]?.arrayValue)
        let query = try BooleanQuery(parsing: text)
        let found = events.compactMap(\.objectValue).filter { query.matches($0) }.map { $0["id"] ?? .null }
        #expect(JSONValue.array(found) == record.expect["ids"], "\(record.id)")
    }
}
