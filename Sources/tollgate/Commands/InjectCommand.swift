// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// `tollgate inject`
struct InjectCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject", abstract: "Print workloads with a sidecar that the operator feeds.",
        discussion: """
            Takes \(SidecarInjector.kinds), among other documents, which stay as they are. The \
            container is a native sidecar: an init container with restartPolicy Always, for Kubernetes 1.29 and later. Injecting \
            again replaces it.
            """)

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("File, or - for the standard input.", valueName: "FILE|-"))
    var file: String

    @Option(help: ArgumentHelp("The AuthConfig to decide for.", valueName: "NAMESPACE/NAME"))
    var authConfig: String

    @Option(help: ArgumentHelp("The operator.", valueName: "URL"))
    var upstream = "https://tollgate.tollgate-system.svc"

    @Option(help: "Image of the container.")
    var image = "tollgate:" + ProductVersion.text

    @Option(help: "Port at 127.0.0.1 that the containers of the pod ask.")
    var port = 15080

    @Option(help: "Port of the pod that the kubelet asks.")
    var probePort = 15081

    @Option(
        help: ArgumentHelp(
            "ConfigMap with the authorities of the operator's certificate, key ca.crt.", valueName: "NAME"))
    var caConfigMap: String?

    @Option(
        help: ArgumentHelp(
            "Secret with a service token, key token, instead of a token of the pod's service account.",
            valueName: "NAME"))
    var tokenSecret: String?

    func validate() throws {
        let parts = authConfig.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, NameRules.isNamespace(parts[0]), NameRules.isObjectName(parts[1]) else {
            throw ValidationError("--auth-config must be namespace/name, such as shop/api")
        }
        guard let address = WebAddress(upstream), address.path.isEmpty else {
            throw ValidationError("--upstream must be an http or https URL without a path")
        }
        guard (1024...65_535).contains(port), (1024...65_535).contains(probePort), port != probePort else {
            throw ValidationError("--port and --probe-port must be two ports from 1024 to 65535")
        }
        for (option, name) in [("--ca-config-map", caConfigMap), ("--token-secret", tokenSecret)] {
            guard name.map(NameRules.isObjectName) ?? true else {
                throw ValidationError("\(option) must be the name of an object")
            }
        }
        guard !image.isEmpty, image.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("--image must be the name of an image")
        }
    }

    func run(in context: CommandContext) async throws {
        let injector = SidecarInjector(
            sidecar: SidecarContainer(
                authConfig: authConfig, upstream: upstream, image: image, port: port, probePort: probePort,
                authorities: caConfigMap, tokenSecret: tokenSecret))
        guard let text = String(validating: try read(in: context), as: UTF8.self) else {
            throw CommandFailure(.otherFault, "\(file): it is not UTF-8 text")
        }
        var isChanged = false
        let result = try WorkloadTexts(text).text { document in
            do throws(SidecarInjector.Fault) {
                guard let new = try injector.inject(into: document) else { return nil }
                isChanged = true
                return .object(new)
            } catch {
                throw CommandFailure(.otherFault, "\(error)")
            }
        }
        guard isChanged else {
            throw CommandFailure(.otherFault, "\(file): there is no \(SidecarInjector.kinds) in it")
        }
        context.output.write(Array(result.utf8))
    }

    private func read(in context: CommandContext) throws(CommandFailure) -> [UInt8] {
        do {
            if file == "-" { return try context.input() }
            return try BoundedFile.read(HomeDirectory.expand(file, environment: context.environment))
        } catch {
            throw CommandFailure(.otherFault, "cannot read \(file): \(error)")
        }
    }
}
