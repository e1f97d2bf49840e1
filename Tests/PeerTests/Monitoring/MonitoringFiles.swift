// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// The rules and the dashboard that are shipped.
enum MonitoringFiles {
    /// One rule of the rules file.
    struct Rule {
        var group: String
        /// Of its group; nil where the server's own is taken.
        var interval: String?
        var record: String?
        var alert: String?
        /// On one line.
        var expression: String
        var hold: String?
        var labels: [String: String]
        var annotations: [String: String]
    }

    static let rulesPath = path("chart/files/prometheus-rules.yaml")
    static let dashboardPath = path("chart/files/dashboard.json")

    /// The absolute path of a file of the repository.
    static func path(_ name: String) -> String { Repository.root.appending(path: name).path(percentEncoded: false) }

    static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    static func rules() throws -> [Rule] {
        let file = try YAMLText.json(text(rulesPath))
        return (file["groups"]?.arrayValue ?? []).flatMap { group in
            (group["rules"]?.arrayValue ?? []).map { rule in
                Rule(
                    group: group["name"]?.stringValue ?? "", interval: group["interval"]?.stringValue,
                    record: rule["record"]?.stringValue, alert: rule["alert"]?.stringValue,
                    expression: oneLine(rule["expr"]?.stringValue ?? ""), hold: rule["for"]?.stringValue,
                    labels: texts(rule["labels"]), annotations: texts(rule["annotations"]))
            }
        }
    }

    static func dashboard() throws -> JSONValue { try JSONParser.parse(text: text(dashboardPath)) }

    /// The panels of a dashboard, those of rows among them.
    static func panels(_ dashboard: JSONValue) -> [JSONValue] {
        (dashboard["panels"]?.arrayValue ?? []).flatMap { [$0] + ($0["panels"]?.arrayValue ?? []) }
    }

    /// Every expression of a dashboard with where it stands and how its series are named.
    static func expressions(_ dashboard: JSONValue) -> [(place: String, expression: String, legend: String)] {
        let ofPanels = panels(dashboard).flatMap { panel in
            (panel["targets"]?.arrayValue ?? []).map { target in
                (
                    "panel \"\(panel["title"]?.stringValue ?? "")\"", target["expr"]?.stringValue ?? "",
                    target["legendFormat"]?.stringValue ?? ""
                )
            }
        }
        let ofAnnotations = (dashboard["annotations"]?["list"]?.arrayValue ?? []).map {
            ("annotation", $0["expr"]?.stringValue ?? "", $0["titleFormat"]?.stringValue ?? "")
        }
        return ofPanels + ofAnnotations
    }

    /// Runs one of the monitoring programs to its end.
    static func run(
        _ peer: PeerPaths.Peer, _ arguments: [String], folder: TemporaryDirectory? = nil
    ) async throws -> (status: Int32, output: String) {
        try await PeerProcess.run(
            name: peer.rawValue, executable: PeerPaths.path(of: peer), arguments: arguments,
            folder: try folder ?? TemporaryDirectory(), within: .seconds(600))
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func texts(_ value: JSONValue?) -> [String: String] {
        let members = value?.objectValue?.members ?? []
        return Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value.stringValue ?? "") })
    }
}
