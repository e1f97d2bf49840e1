// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A login that was saved in `credentials.json`.
struct SavedLogin: Sendable {
    let server: WebAddress
    let accessToken: Redacted<String>
    let refreshToken: Redacted<String>?
    /// nil = unreadable, which counts as expired.
    let expiresAt: Timestamp?
    let email: String?

    /// Reads `{"server","access_token","refresh_token","expires_at","email"}`; nil when server or access token are not there.
    init?(json text: String) {
        // What cannot be parsed is no login; the caller says so.
        guard let object = (try? JSONParser.parse(text: text))?.objectValue,
            let server = object["server"]?.stringValue.flatMap({ WebAddress(ASCII.trimmed($0)) }),
            let accessToken = object["access_token"]?.stringValue, !accessToken.isEmpty
        else { return nil }
        self.init(
            server: server, accessToken: accessToken, refreshToken: object["refresh_token"]?.stringValue,
            expiresAt: object["expires_at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) },
            email: object["email"]?.stringValue)
    }

    private init(
        server: WebAddress, accessToken: String, refreshToken: String?, expiresAt: Timestamp?, email: String?
    ) {
        self.server = server
        self.accessToken = Redacted(accessToken)
        self.refreshToken = refreshToken.map { Redacted($0) }
        self.expiresAt = expiresAt
        self.email = email
    }

    /// Whether the access token is still good: an expiry that cannot be read is a past one.
    func isUsable(at now: Timestamp) -> Bool { expiresAt.map { now < $0 } ?? false }

    /// Whether the access token ends within a minute.
    func isNearItsEnd(at now: Timestamp) -> Bool { expiresAt.map { $0 < now.adding(seconds: 60) } ?? true }

    /// The login with what a refresh gave; nil when that holds no access token.
    func renewed(by object: JSONObject) -> SavedLogin? {
        guard let token = object["access_token"]?.stringValue, !token.isEmpty else { return nil }
        return SavedLogin(
            server: server, accessToken: token,
            refreshToken: object["refresh_token"]?.stringValue ?? refreshToken?.revealed,
            expiresAt: object["expires_at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }, email: email)
    }

    /// Replaces the file.
    func save(in directory: ConfigDirectory) throws(FileFault) {
        try directory.writeCredentials([
            "server": .string(server.description), "access_token": .string(accessToken.revealed),
            "refresh_token": .optional(refreshToken?.revealed), "expires_at": .optional(expiresAt?.rfc3339),
            "email": .optional(email),
        ])
    }
}
