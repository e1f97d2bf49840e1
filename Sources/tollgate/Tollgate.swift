// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The root command: prints help.
@main
struct Tollgate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tollgate",
        abstract: "Authentication and policy in front of agent workloads.",
        version: ProductVersion.text,
        subcommands: [
            RunCommand.self, TokenCommand.self, KeyCommand.self, UsageCommand.self, BillingCommand.self,
            ExplainCommand.self, ProjectCommand.self, ShareCommand.self, PolicyCommand.self, GetCommand.self,
            ValidateCommand.self, InjectCommand.self,
            CRDsCommand.self, ToolCommand.self, AutohealCommand.self, AuditCommand.self, ClusterCommand.self,
            DatabaseCommand.self, CheckCommand.self, SettingsCommand.self, VersionCommand.self,
        ])

    static func main() async {
        let root = CommandLineTool.root(calledAs: CommandLine.arguments.first ?? "tollgate")
        let arguments = Array(CommandLine.arguments.dropFirst())
        Glibc.exit(await CommandLineTool(root: root, context: .process).run(arguments))
    }
}

/// The version of the product.
enum ProductVersion {
    static let text = "0.1.0"
}
