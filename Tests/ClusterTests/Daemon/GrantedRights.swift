// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// The rights that the rendered chart gives the daemon, and those that it used.
enum GrantedRights {
    /// `patch tollgate.dev authconfigs/status`
    typealias Right = String

    /// The roles of the chart, its account, and their bindings.
    static func rendered(_ values: JSONValue) async throws -> [JSONValue] {
        let folder = try TemporaryDirectory()
        let question: JSONValue = [
            "do": "render", "chart": .string(Repository.root.appending(path: "chart").path), "values": values,
        ]
        try folder.write(question.jsonText + "\n", to: "questions")
        let (status, output) = try await PeerProcess.run(
            name: "helm-engine", executable: PeerPaths.path(of: .helmEngine),
            arguments: ["batch", folder.path("questions"), folder.path("answers")], folder: folder,
            within: .seconds(300))
        guard status == 0 else { throw PeerFault(message: "the Helm engine ended with \(status):\n\(output)") }
        let answer = try JSONParser.parse(text: String(contentsOfFile: folder.path("answers"), encoding: .utf8))
        guard let texts = answer["ok"]?.objectValue else { throw PeerFault(message: answer.jsonText) }
        let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]
        return try texts.members.filter { $0.name.hasSuffix(".yaml") }
            .flatMap { try YAMLText.documents($0.value.stringValue ?? "") }
            .filter { kinds.contains($0["kind"]?.stringValue ?? "") }
    }

    /// What the roles give that are not for people.
    static func granted(_ objects: [JSONValue]) -> Set<Right> {
        var rights: Set<Right> = []
        for role in objects where ["Role", "ClusterRole"].contains(role["kind"]?.stringValue ?? "") {
            let labels = role["metadata"]?["labels"]?.objectValue?.members ?? []
            if labels.contains(where: { $0.name.contains("aggregate-to-") }) { continue }
            for rule in role["rules"]?.arrayValue ?? [] {
                func words(_ member: String) -> [String] { (rule[member]?.arrayValue ?? []).compactMap(\.stringValue) }
                for group in words("apiGroups") {
                    for resource in words("resources") {
                        for verb in words("verbs") { rights.insert(right(verb, group, resource)) }
                    }
                }
            }
        }
        return rights
    }

    static func right(_ verb: String, _ group: String, _ resource: String) -> Right {
        "\(verb) \(group.isEmpty ? "core" : group) \(resource)"
    }

    /// One request of the daemon, as the API server's audit log has it.
    struct Request {
        var right: Right
        /// The HTTP status of the answer.
        var status: Int
        var line: String
    }

    /// The requests in an audit log that meant a resource.
    static func requests(_ log: String) throws -> [Request] {
        // The last line may be in the middle of being written.
        try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: true)
            .filter { $0.hasSuffix("}") }
            .compactMap { line in
                let entry = try JSONParser.parse(Array(line.utf8))
                guard let reference = entry["objectRef"], let resource = reference["resource"]?.stringValue else {
                    return nil
                }
                let part = reference["subresource"]?.stringValue.map { "/\($0)" } ?? ""
                return Request(
                    right: right(
                        entry["verb"]?.stringValue ?? "", reference["apiGroup"]?.stringValue ?? "", resource + part),
                    status: Int(entry["responseStatus"]?["code"]?.intValue ?? 0), line: String(line))
            }
    }
}
