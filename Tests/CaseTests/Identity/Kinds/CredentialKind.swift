// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func credential(_ record: CaseRecord) async throws {
        let request = record.json["request"] ?? .null
        var headers = Identity.headers(request["headers"])
        if record.given["websocket"]?.boolValue == true {
            headers.append(name: "upgrade", value: "websocket")
        }
        let path = try #require(request["path"]?.stringValue)
        let method = request["method"]?.stringValue ?? "GET"
        let query = path.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init)
        let settings = try Identity.settings(record.given["settings"]).get()
        let extraction = CredentialExtractor.extract(
            headers: headers, query: query,
            isWebSocketUpgrade: CredentialExtractor.isWebSocketUpgrade(method: method, headers: headers),
            prefixes: settings.prefixes)
        switch extraction {
        case .found(let credential):
            #expect(credential.source.rawValue == record.expect["source"]?.stringValue)
            #expect(credential.text.revealed == record.expect["token"]?.stringValue)
        case .refused(let refusal): Identity.expect(refusal, record.expect)
        case .none: Identity.expect(Refusal(.authMissingToken), record.expect)
        }
    }
}
