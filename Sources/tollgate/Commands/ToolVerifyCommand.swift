// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import ToolTrust

/// `tollgate tool verify`
struct ToolVerifyCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verify a tool manifest; needs no running server.",
        discussion:
            "Prints every check. Exit status: 0 verified, 1 refused, 2 usage. Limits are those of the TOLLGATE_TOOLS_ settings."
    )

    @Option(help: "The manifest, JSON.")
    var manifest: String

    @Option(help: "The trusted keys: a JSON list as in TOLLGATE_TOOL_KEYS, or one record.")
    var keys: String

    @Option(help: "The executable whose SHA-256 is compared.")
    var executable: String?

    func run(in context: CommandContext) async throws {
        let rules = try ToolFiles.rules(in: context)
        let records: [ToolKeyRecord]
        do {
            records = try ToolKeyRecord.list(try ToolFiles.read(keys, in: context))
        } catch let fault as ToolKeyRecord.Fault {
            throw CommandFailure(.otherFault, "\(keys): \(fault)")
        }
        let bytes = try ToolFiles.read(manifest, in: context)
        let hash = try executable.map { try ToolFiles.sha256($0, in: context) }
        let verifier = ToolVerifier(keys: TrustedToolKeys(records), rules: rules)
        let result = verifier.verify(bytes, executableSHA256: hash, now: context.clock.now())
        var table = TextTable(["CHECK", "RESULT", "DETAIL"])
        for check in result.checks { table.add([check.name, check.isGood ? "ok" : "failed", check.detail ?? ""]) }
        if hash == nil { table.add(["hash", "not checked", "no --executable was given"]) }
        context.output.line(table.text)
        if let refusal = result.refusal { throw ToolFiles.failure(refusal) }
    }
}
