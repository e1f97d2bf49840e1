// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Token texts as Secret manifests in a folder of their own: `<folder>/<namespace>/<name>.yaml`, mode 0600.
package struct TokenSecretFiles: TokenTextKeeping {
    private let folder: String

    /// Keeps them below that folder.
    package init(folder: String) { self.folder = folder }

    /// Where the Secret of that name stands.
    package func path(_ secret: TokenSecret) -> String { "\(folder)/\(secret.namespace)/\(secret.name).yaml" }

    /// The folder is this process's alone: nothing in it is foreign.
    package func look(_ secret: TokenSecret) throws -> TokenSecretState {
        guard let bytes = try DurableFile.read(path(secret)) else { return .absent }
        let start = Self.lineStart(secret)
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(start) }
        return .own(line.map { Redacted(String($0.dropFirst(start.count))) })
    }

    package func prepare(_ secret: TokenSecret) throws {
        try DurableFile.makeDirectory("\(folder)/\(secret.namespace)")
        _ = try DurableFile.read(path(secret))
    }

    package func write(_ text: Redacted<String>, secret: TokenSecret) throws {
        try DurableFile.makeDirectory("\(folder)/\(secret.namespace)")
        // Names and keys are checked elsewhere to hold nothing that quotes would not cover.
        var lines = [
            "apiVersion: v1", "kind: Secret", "type: tollgate.dev/service-token", "metadata:",
            "  name: \"\(secret.name)\"", "  namespace: \"\(secret.namespace)\"", "stringData:",
            Self.lineStart(secret) + text.revealed,
        ]
        if secret.key != "identifier" { lines.append("  identifier: \"\(secret.identifier)\"") }
        if let expiresAt = secret.expiresAt, secret.key != "expires_at" {
            lines.append("  expires_at: \"\(expiresAt.rfc3339)\"")
        }
        try DurableFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path(secret), mode: 0o600)
    }

    package func remove(_ secret: TokenSecret) throws {
        guard try DurableFile.read(path(secret)) != nil else { return }
        try DurableFile.remove(path(secret))
    }

    private static func lineStart(_ secret: TokenSecret) -> String {
        // Plain words stay as people write them; what YAML could read as something else than text is quoted.
        let isPlain = secret.key.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2D }
        let reads = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        guard isPlain, secret.key.utf8.first != 0x2D, !reads.contains(secret.key) else {
            return "  \"\(secret.key)\": "
        }
        return "  \(secret.key): "
    }
}
