// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What an `Accept` header prefers.
enum AcceptField {
    /// Whether the sender asks for HTML by name and for JSON no more than that: a browser that shows a page, not a program.
    static func prefersHTML(_ headers: HeaderList) -> Bool {
        var html = 0.0
        var json = 0.0
        for line in headers.all("accept") {
            for entry in line.utf8.split(separator: UInt8(ascii: ",")).prefix(64) {
                let parts = entry.split(separator: UInt8(ascii: ";"))
                guard let first = parts.first else { continue }
                let weight = parts.dropFirst().lazy.compactMap { self.weight($0) }.first ?? 1
                switch ASCII.lowercased(ASCII.trimmed(Substring(first))) {
                case "text/html", "application/xhtml+xml": html = max(html, weight)
                case "application/json": json = max(json, weight)
                default: continue
                }
            }
        }
        return html > 0 && html >= json
    }

    /// The value of a parameter `q`; nil for other parameters, 0 for one that is no number.
    private static func weight(_ parameter: Substring.UTF8View.SubSequence) -> Double? {
        let text = ASCII.lowercased(ASCII.trimmed(Substring(parameter)))
        guard text.utf8.starts(with: "q=".utf8) else { return nil }
        let number = Double(text.dropFirst(2)) ?? 0
        return (0...1).contains(number) ? number : 0
    }
}
