// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// Which cluster, and where Tollgate is in it.
struct ClusterOptions: ParsableArguments {
    @Option(help: "Kubeconfig (KUBECONFIG, else ~/.kube/config).")
    var kubeconfig: String?

    @Option(help: "Context of the kubeconfig; its current one unless named.")
    var context: String?

    @Option(name: .customLong("install-namespace"), help: "Namespace in which Tollgate is installed.")
    var installNamespace = "tollgate-system"

    @Option(name: .customLong("install-name"), help: "Name of Tollgate's Service and Lease.")
    var installName = "tollgate"

    func validate() throws {
        for (name, value) in [("--install-namespace", installNamespace), ("--install-name", installName)] {
            guard PluginName.isName(value) else { throw ValidationError("\(name): \(PluginName.expected)") }
        }
    }

    /// What kubectl is told of them.
    func kubectlArguments(in context: CommandContext) -> [String] {
        var arguments: [String] = []
        if let kubeconfig {
            arguments += ["--kubeconfig", HomeDirectory.expand(kubeconfig, environment: context.environment)]
        }
        if let context = self.context { arguments += ["--context", context] }
        return arguments
    }
}

/// Whose objects are meant, and how they are shown.
struct ObjectOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Namespace; the context's unless named.")
    var namespace: String?

    @Option(name: .shortAndLong, help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    func validate() throws {
        if let namespace, !PluginName.isName(namespace) {
            throw ValidationError("--namespace: \(PluginName.expected)")
        }
    }

    func format(in context: CommandContext) -> OutputFormat {
        output ?? (context.outputIsTerminal ? .table : .json)
    }
}

/// Names of objects, which become parts of a path.
enum PluginName {
    static let expected = "expected a name of lower-case letters, digits, - and ., such as nightly"

    /// Whether an API server could have an object of that name.
    static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                !label.isEmpty && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy {
                        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                    }
            }
    }
}
