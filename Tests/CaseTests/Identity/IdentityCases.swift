// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// Runs every case of `Tests/Cases/identity*.json`.
@Suite struct IdentityCases {
    /// How each kind of case is run.
    static let runners: [String: @Sendable (CaseRecord) async throws -> Void] = [
        "credential": IdentityKinds.credential,
        "token_text": IdentityKinds.tokenText,
        "string_set": IdentityKinds.stringSet,
        "name_set": IdentityKinds.nameSet,
        "timestamp": IdentityKinds.timestamp,
        "claims": IdentityKinds.claims,
        "mode": IdentityKinds.mode,
        "public_host": IdentityKinds.publicHost,
        "lifecycle": IdentityKinds.lifecycle,
        "bootstrap": IdentityKinds.bootstrap,
        "jwt": IdentityKinds.jwt,
        "jwks_cache": IdentityKinds.jwksCache,
        "failure_limit": IdentityKinds.failureLimit,
        "scopes": IdentityKinds.scopes,
        "workspaces": IdentityKinds.workspaces,
        "path": IdentityKinds.path,
        "host": IdentityKinds.host,
        "client_address": IdentityKinds.clientAddress,
        "origin": IdentityKinds.origin,
        "answer": IdentityKinds.answer,
        "request_limit": IdentityKinds.requestLimit,
    ]

    @Test(arguments: CaseFile.all(area: "identity"))
    func holds(_ record: CaseRecord) async throws {
        let run = try #require(Self.runners[record.kind], "unknown kind \(record.kind) in \(record.id)")
        try await run(record)
    }

    @Test func thereAreCases() {
        #expect(CaseFile.all(area: "identity").count >= 74)
    }
}

/// One function a kind, each in a file of its own under `Kinds/`.
enum IdentityKinds {}
