// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads the fields of a user.
enum KubeconfigUser {
    /// Fields that stand for ways of signing in that Tollgate does not have; to leave one out would be to act as somebody else.
    private static let unsupported: [(field: String, mend: String)] = [
        ("username", "basic authentication is not supported: use a token, a client certificate or exec"),
        ("password", "basic authentication is not supported: use a token, a client certificate or exec"),
        ("as", "impersonation is not supported: use credentials of that user"),
        ("as-uid", "impersonation is not supported: use credentials of that user"),
        ("as-groups", "impersonation is not supported: use credentials of that user"),
        ("as-user-extra", "impersonation is not supported: use credentials of that user"),
    ]

    /// Adds the user's credentials.
    static func apply(
        _ entry: KubeconfigEntry, to connection: inout ClusterConnection
    ) throws(ClusterConnectionError) {
        if let provider = try entry.part("auth-provider") {
            let name = try provider.text("name") ?? "without a name"
            throw entry.fault(
                "auth-provider",
                "\(name.prefix(64)) is a legacy auth provider, which is not supported: use its exec plugin",
                .unsupported)
        }
        for (field, mend) in unsupported where entry.has(field) { throw entry.fault(field, mend, .unsupported) }
        connection.clientCertificate = try clientCertificate(entry)
        if let path = try entry.path("tokenFile") {
            connection.credential = .tokenFile(path)
        } else if let token = try entry.text("token") {
            guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw entry.fault("token", "must be one line of visible ASCII")
            }
            connection.credential = .token(Redacted(token))
        } else if let exec = try entry.part("exec") {
            connection.credential = .exec(try plugin(exec))
        }
    }

    private static func clientCertificate(
        _ entry: KubeconfigEntry
    ) throws(ClusterConnectionError) -> ClientCertificateSource? {
        switch (try entry.material("client-certificate"), try entry.material("client-key")) {
        case (nil, nil): return nil
        case (.some, nil): throw entry.fault("client-key", "is missing: client-certificate needs its key")
        case (nil, .some): throw entry.fault("client-certificate", "is missing: client-key needs its certificate")
        case (let certificate?, let key?):
            let text = String(decoding: try entry.content(of: key, field: "client-key"), as: UTF8.self)
            guard !text.contains("ENCRYPTED") else {
                throw entry.fault(
                    "client-key",
                    "the key is encrypted, which is not supported: store it without a passphrase (openssl pkey -in KEY -out NEW)",
                    .unsupported)
            }
            return ClientCertificateSource(certificate: certificate, key: key)
        }
    }

    private static func plugin(_ exec: KubeconfigEntry) throws(ClusterConnectionError) -> ExecPlugin {
        let versionText = try exec.text("apiVersion") ?? ""
        guard let version = ExecPlugin.Version(rawValue: versionText) else {
            let known = ExecPlugin.Version.allCases.map(\.rawValue).joined(separator: " or ")
            throw exec.fault("apiVersion", "must be \(known)", versionText.isEmpty ? .badField : .unsupported)
        }
        guard let command = try exec.text("command") else {
            throw exec.fault("command", "is missing: the program that prints the credential")
        }
        var plugin = ExecPlugin(version: version, command: command.contains("/") ? exec.absolute(command) : command)
        plugin.arguments = try exec.texts("args")
        for variable in try exec.parts("env") {
            guard let name = try variable.text("name"), !name.contains("="), !name.contains("\0") else {
                throw variable.fault("name", "must be the name of an environment variable")
            }
            plugin.environment.append(.init(name: name, value: try variable.text("value") ?? ""))
        }
        switch try exec.text("interactiveMode") {
        case nil:
            guard version != .v1 else {
                throw exec.fault("interactiveMode", "is missing: Never or IfAvailable")
            }
        case let text?:
            guard let mode = ExecPlugin.InteractiveMode(rawValue: text) else {
                throw exec.fault("interactiveMode", "must be Never or IfAvailable")
            }
            guard mode != .always else {
                throw exec.fault(
                    "interactiveMode",
                    "Always needs somebody to ask, and there is nobody: use a plugin that needs no terminal",
                    .unsupported)
            }
            plugin.interactiveMode = mode
        }
        plugin.providesClusterInfo = try exec.flag("provideClusterInfo")
        plugin.installHint = try exec.text("installHint")
        return plugin
    }
}
