// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport

/// A copy of the chart that writes down which branches of its templates were taken.
enum ChartBranches {
    /// Copies the chart into `folder`, with a mark in a comment behind every `if`, `with`, `range` and `else` that has a line
    /// to itself.
    ///
    /// - Returns: the marks, each of which names file and line.
    static func instrument(into folder: TemporaryDirectory) throws -> [String] {
        let source = URL(filePath: HelmEngine.chart)
        var marks: [String] = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: source.path).sorted() {
            let file = source.appending(path: path)
            let isFile = (try file.resourceValues(forKeys: [.isRegularFileKey])).isRegularFile == true
            if isFile {
                let text = try String(contentsOf: file, encoding: .utf8)
                try folder.write(path.hasPrefix("templates/") ? marked(text, path, &marks) : text, to: "chart/\(path)")
            }
        }
        // Links of the chart to what it shares with the rest of the repository.
        for name in ["crds", "policies"] {
            try FileManager.default.copyItem(
                at: Repository.root.appending(path: name), to: URL(filePath: folder.path("chart/files/\(name)")))
        }
        return marks
    }

    private static func marked(_ text: String, _ path: String, _ marks: inout [String]) -> String {
        var lines: [String] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            lines.append(String(line))
            let words = line.drop { $0 == " " }
            let opens = ["{{- if ", "{{- with ", "{{- range ", "{{- else"].contains { words.hasPrefix($0) }
            guard opens, words.hasSuffix("}}"), !words.hasSuffix("-}}"), words.components(separatedBy: "{{").count == 2
            else { continue }
            let mark = "# branch \(path):\(index + 1);"
            marks.append(mark)
            lines.append(String(line.prefix { $0 == " " }) + mark)
        }
        return lines.joined(separator: "\n")
    }
}
