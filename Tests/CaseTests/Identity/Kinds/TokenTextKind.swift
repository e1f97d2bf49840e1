// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func tokenText(_ record: CaseRecord) async throws {
        for row in record.rows {
            let given = row["given"] ?? .null
            let expect = row["expect"] ?? .null
            if let prefix = given["prefix"]?.stringValue {
                let id = try #require(given["id"]?.stringValue)
                let secret = try #require(given["secret"]?.stringValue)
                let text = TokenText.make(prefix: prefix, id: id, secret: secret).revealed
                #expect(text == expect["text"]?.stringValue)
                continue
            }
            let text = try #require(given["text"]?.stringValue)
            let old = given["old_prefixes"]?.arrayValue?.compactMap(\.stringValue) ?? []
            let isWellFormed = expect["well_formed"]?.boolValue
            switch TokenText.read(text, prefixes: TokenPrefixes(oldAPIKeys: old)) {
            case .otherKind: Issue.record("\(text) is taken for another kind")
            case .malformed(let kind):
                #expect(kind.rawValue == expect["kind"]?.stringValue)
                #expect(isWellFormed == false)
            case .wellFormed(let kind, let id):
                #expect(kind.rawValue == expect["kind"]?.stringValue)
                #expect(id == expect["id"]?.stringValue)
                #expect(isWellFormed == true)
            }
        }
    }
}
