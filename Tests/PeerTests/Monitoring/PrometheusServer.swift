// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// A real Prometheus with the shipped configuration, in which only what it scrapes and how often is another.
struct PrometheusServer {
    private let port: Int
    let process: PeerProcess

    /// Runs `body` while it scrapes that port of 127.0.0.1 every second.
    ///
    /// - Parameter rules: the text of the rules file.
    static func with<Value>(
        scraping target: Int, rules: String, _ body: (PrometheusServer) async throws -> Value
    ) async throws -> Value {
        let folder = try TemporaryDirectory()
        let shipped = try YAMLText.json(
            MonitoringFiles.text(MonitoringFiles.path("manifests/monitoring/prometheus/prometheus.yml")))
        var config = shipped.objectValue ?? [:]
        config["global"] = ["scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"]
        config["alerting"] = nil
        var job = shipped["scrape_configs"]?.arrayValue?.first?.objectValue ?? [:]
        job["dns_sd_configs"] = nil
        job["static_configs"] = [["targets": [.string("127.0.0.1:\(target)")]]]
        config["scrape_configs"] = [.object(job)]
        // JSON is YAML.
        try folder.write(JSONValue.object(config).jsonText, to: "prometheus.yml")
        try folder.write(rules, to: shipped["rule_files"]?.arrayValue?.first?.stringValue ?? "")
        let port = try FreePort.next()
        return try await PeerProcess.with(
            name: "prometheus", executable: PeerPaths.path(of: .prometheus),
            arguments: [
                "--config.file=\(folder.path("prometheus.yml"))", "--storage.tsdb.path=\(folder.path("data"))",
                "--web.listen-address=127.0.0.1:\(port)",
            ], folder: folder
        ) { process in
            try await process.wait(forStatus: 200, of: "/-/ready", port: port)
            return try await body(PrometheusServer(port: port, process: process))
        }
    }

    /// The `data` of an answer of its API.
    func ask(_ path: String) async throws -> JSONValue {
        let answer = try await PlainHTTP.send("GET", "/api/v1/\(path)", port: port)
        guard answer.status == 200, let data = try answer.json()["data"] else {
            throw PeerFault(message: "\(path): \(answer.status) \(answer.text)")
        }
        return data
    }

    /// What an expression gives now: label sets with their values.
    func query(_ expression: String) async throws -> [(labels: JSONValue, value: Double)] {
        let allowed = CharacterSet.alphanumerics
        let query = expression.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return try await (ask("query?query=\(query)")["result"]?.arrayValue ?? []).map { sample in
            (sample["metric"] ?? .null, Double(sample["value"]?.arrayValue?.last?.stringValue ?? "") ?? .nan)
        }
    }
}
