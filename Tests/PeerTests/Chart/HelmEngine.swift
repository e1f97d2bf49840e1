// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// Helm's own engine, asked about the chart.
enum HelmEngine {
    /// The folder of the chart.
    static let chart = Repository.root.appending(path: "chart").path

    /// What it said about one question.
    enum Answer: Sendable {
        case done(JSONValue)
        case refused(String)

        /// - Throws: `PeerFault` when it refused.
        func value() throws -> JSONValue {
            switch self {
            case .done(let value): return value
            case .refused(let message): throw PeerFault(message: "Helm's engine refused: \(message)")
            }
        }

        var refusal: String? {
            if case .refused(let message) = self { message } else { nil }
        }
    }

    /// Asks several questions of `Scripts/helm-engine.py` in one process.
    static func ask(_ questions: [JSONValue]) async throws -> [Answer] {
        let folder = try TemporaryDirectory()
        try folder.write(questions.map { $0.line + "\n" }.joined(), to: "questions")
        let (status, output) = try await PeerProcess.run(
            name: "helm-engine", executable: PeerPaths.path(of: .helmEngine),
            arguments: ["batch", folder.path("questions"), folder.path("answers")], folder: folder,
            within: .seconds(900))
        guard status == 0 else { throw PeerFault(message: "the Helm engine ended with \(status):\n\(output)") }
        let answers = try String(contentsOfFile: folder.path("answers"), encoding: .utf8).split(separator: "\n")
        guard answers.count == questions.count else { throw PeerFault(message: "\(answers.count) answers") }
        return try answers.map { line in
            let answer = try JSONParser.parse(Array(line.utf8))
            if let value = answer["ok"] { return .done(value) }
            return .refused(answer["error"]?.stringValue ?? "\(line)")
        }
    }

    /// Renders the chart once for each of the values.
    static func render(
        _ values: [JSONValue], chart: String = chart, name: String = "tollgate", namespace: String = "tollgate-system"
    ) async throws -> [Answer] {
        try await ask(
            values.map {
                [
                    "do": "render", "chart": .string(chart), "values": $0, "name": .string(name),
                    "namespace": .string(namespace),
                ]
            })
    }

    /// Renders the chart and reads what came out.
    static func rendered(
        _ values: JSONValue = .object(JSONObject()), name: String = "tollgate", namespace: String = "tollgate-system"
    ) async throws -> RenderedChart {
        try RenderedChart(await render([values], name: name, namespace: namespace)[0].value())
    }
}

/// What a rendering of the chart holds.
struct RenderedChart {
    /// The text of each template that gave any.
    let texts: [String: String]
    /// Every object.
    let objects: [JSONValue]

    init(_ value: JSONValue) throws {
        var texts: [String: String] = [:]
        for member in value.objectValue?.members ?? [] {
            guard let text = member.value.stringValue, !text.allSatisfy(\.isWhitespace) else { continue }
            texts[member.name.replacing("tollgate/templates/", with: "")] = text
        }
        self.texts = texts
        self.objects = try texts.filter { $0.key.hasSuffix(".yaml") }.sorted { $0.key < $1.key }
            .flatMap { try YAMLText.documents($0.value) }
    }

    /// The objects of a kind.
    func all(_ kind: String) -> [JSONValue] { objects.filter { $0["kind"]?.stringValue == kind } }

    /// The one object of that kind and name.
    func object(_ kind: String, _ name: String = "tollgate") throws -> JSONValue {
        let found = all(kind).filter { $0["metadata"]?["name"]?.stringValue == name }
        guard found.count == 1 else { throw PeerFault(message: "\(found.count) objects \(kind)/\(name)") }
        return found[0]
    }

    /// The specification of every pod, with the name of the object that it is of.
    var pods: [(name: String, spec: JSONValue)] {
        objects.compactMap { object in
            let name = object["metadata"]?["name"]?.stringValue ?? ""
            switch object["kind"]?.stringValue {
            case "Pod": return object["spec"].map { (name, $0) }
            case "Deployment": return object["spec"]?["template"]?["spec"].map { (name, $0) }
            default: return nil
            }
        }
    }

    /// The environment of Tollgate's container: the value, or `secret:NAME/KEY` (with `?` where it may be missing).
    func environment(_ deployment: String = "tollgate") throws -> [String: String] {
        let containers =
            try object("Deployment", deployment)["spec"]?["template"]?["spec"]?["containers"]?.arrayValue ?? []
        let own = containers.first { $0["name"] == "tollgate" }?["env"]?.arrayValue ?? []
        var environment: [String: String] = [:]
        for variable in own {
            guard let name = variable["name"]?.stringValue else { continue }
            guard environment[name] == nil else { throw PeerFault(message: "\(name) is there twice") }
            if let value = variable["value"]?.stringValue {
                environment[name] = value
            } else if let secret = variable["valueFrom"]?["secretKeyRef"] {
                let optional = secret["optional"] == true ? "?" : ""
                environment[name] =
                    "secret:\(secret["name"]?.stringValue ?? "")/\(secret["key"]?.stringValue ?? "")\(optional)"
            } else {
                environment[name] = variable["valueFrom"]?["fieldRef"]?["fieldPath"]?.stringValue ?? ""
            }
        }
        return environment
    }

    /// The names of the volumes of Tollgate's pod.
    func volumes() throws -> [String: JSONValue] {
        let volumes = try object("Deployment")["spec"]?["template"]?["spec"]?["volumes"]?.arrayValue ?? []
        return Dictionary(uniqueKeysWithValues: volumes.map { ($0["name"]?.stringValue ?? "", $0) })
    }

    /// The rules of every role as lines: role, groups and resources with their names, verbs.
    var rules: [String] {
        (all("Role") + all("ClusterRole")).flatMap { role -> [String] in
            let metadata = role["metadata"]
            let name = [metadata?["namespace"]?.stringValue ?? "*", metadata?["name"]?.stringValue ?? ""]
            return (role["rules"]?.arrayValue ?? []).map { rule in
                let words = { (member: String) in
                    (rule[member]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",")
                }
                let names = words("resourceNames")
                return "\(name.joined(separator: "/")): \(words("apiGroups"))/\(words("resources"))"
                    + (names.isEmpty ? "" : "[\(names)]") + ": \(words("verbs"))"
            }
        }.sorted()
    }
}

extension JSONValue {
    /// The compact text, on one line.
    var line: String { String(decoding: encoded(), as: UTF8.self) }
}
