// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ToolTrust

/// `tollgate tool sign`
struct ToolSignCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign a tool manifest.",
        discussion: "Writes key_id, signature and, with --executable, sha256_hash; all other members stay as they are.")

    @Option(help: "The private key that tollgate tool keygen made.")
    var key: String

    @Option(help: "The manifest, JSON.")
    var manifest: String

    @Option(help: "The executable whose SHA-256 is written into the manifest.")
    var executable: String?

    @Option(help: "Where the signed manifest goes (default: standard output).")
    var out: String?

    func run(in context: CommandContext) async throws {
        guard let key = Ed25519PrivateKey(pem: try ToolFiles.read(key, in: context)) else {
            throw CommandFailure(
                .otherFault, "\(key) is no Ed25519 key in PEM: make one with tollgate tool keygen --out FILE")
        }
        let bytes = try ToolFiles.read(manifest, in: context)
        let hash = try executable.map { try ToolFiles.sha256($0, in: context) }
        let signed: JSONValue
        do {
            signed = try ToolManifestSigner.sign(
                try ToolManifest.document(bytes), key: key, executableSHA256: hash)
        } catch let refusal as Refusal {
            throw ToolFiles.failure(refusal)
        }
        guard let out else { return context.output.write(signed.indented()) }
        let place = TollgateSettings.absolute(out, environment: context.environment, host: context.host)
        do {
            try DurableFile.write(signed.indented(), to: place, mode: 0o644)
        } catch {
            throw CommandFailure(.otherFault, "\(error)")
        }
    }
}
