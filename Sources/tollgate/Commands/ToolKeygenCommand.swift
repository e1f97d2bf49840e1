// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ToolTrust

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// `tollgate tool keygen`
struct ToolKeygenCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Make a key that signs tool manifests.",
        discussion: "The private key goes to a new file of mode 0600; the record for TOLLGATE_TOOL_KEYS is printed.")

    @Option(help: "Where the private key goes (PEM); nothing may be there yet.")
    var out: String

    @Option(help: "Id of the key (default: ed25519- and 16 hex digits of its SHA-256).")
    var keyId: String?

    func validate() throws {
        if let keyId, !ToolKeyRecord.isKeyID(keyId) {
            throw ValidationError("--key-id takes [A-Za-z0-9._-]{1,64}")
        }
    }

    func run(in context: CommandContext) async throws {
        guard let key = Ed25519PrivateKey(seed: context.random.bytes(32), keyID: keyId), let record = key.record else {
            throw CommandFailure(.otherFault, "no key could be made")
        }
        let place = TollgateSettings.absolute(out, environment: context.environment, host: context.host)
        do {
            try DurableFile.create(key.pem.revealed, at: place, mode: 0o600)
        } catch {
            throw CommandFailure(
                .otherFault,
                error.errorNumber == EEXIST ? "\(place) is there already: it is left as it is" : "\(error)")
        }
        context.output.line(record.json.jsonText)
    }
}
