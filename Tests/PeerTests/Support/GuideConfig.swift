// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport

/// The configuration that a guide shows, so that what is tested is what is told.
enum GuideConfig {
    /// The first code block of a language in `docs/guides/`, with the guide's addresses and times replaced.
    ///
    /// - Parameter heading: the line after which it is looked for; nil = the whole guide.
    ///
    /// - Throws: `PeerFault` when the guide has no such block or lacks a text that is to be replaced.
    static func text(
        of guide: String, below heading: String? = nil, language: String, replacing changes: [(String, String)]
    ) throws -> String {
        let url = Repository.root.appending(path: "docs/guides/\(guide)")
        let document = try String(contentsOf: url, encoding: .utf8)
        let opening = "```\(language)\n"
        guard let from = heading.map({ document.range(of: "\n\($0)\n")?.upperBound }) ?? document.startIndex,
            let start = document.range(of: opening, range: from..<document.endIndex)?.upperBound,
            let end = document.range(of: "\n```", range: start..<document.endIndex)?.lowerBound
        else { throw PeerFault(message: "docs/guides/\(guide) has no \(language) block") }
        var text = String(document[start..<end]) + "\n"
        for (old, new) in changes {
            guard text.contains(old) else { throw PeerFault(message: "docs/guides/\(guide) does not hold \(old)") }
            text = text.replacing(old, with: new)
        }
        return text
    }
}
