// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ManifestFiles

/// A text of several YAML documents, cut at its separators, so that those that are not changed stay as they were written.
struct WorkloadTexts {
    /// One document.
    struct Part: Equatable {
        /// The line that separates it from what stands before, with its end; empty where there is none.
        var separator: String
        /// As it was written.
        var text: String
        /// The line of the whole text that it begins at, from 1.
        var line: Int
    }

    private(set) var parts: [Part] = []

    /// Cuts a text. A line that begins with `---` and ends there, or goes on after a blank, separates documents: inside of a document such a line
    /// cannot stand at the margin.
    init(_ text: String) {
        var current = Part(separator: "", text: "", line: 1)
        var number = 0
        for line in Self.lines(text) {
            number += 1
            guard Self.isSeparator(line) else {
                current.text += line
                continue
            }
            parts.append(current)
            let rest = line.dropFirst(3)
            // What stands behind the separator on its line belongs to the document.
            let isBare = rest.allSatisfy { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
            current = Part(
                separator: isBare ? line : "---\n", text: isBare ? "" : String(rest.drop { $0 == " " || $0 == "\t" }),
                line: number + (isBare ? 1 : 0))
        }
        parts.append(current)
        if parts[0].separator.isEmpty, parts[0].text.isEmpty, parts.count > 1 { parts.removeFirst() }
    }

    /// The text with documents replaced: `change` gives a new one, or nil for one that stays.
    ///
    /// - Throws: `CommandFailure` with the line of a document that cannot be read.
    func text(changing change: (JSONObject) throws -> JSONValue?) throws -> String {
        var result = ""
        for part in parts {
            result += part.separator
            guard let document = try read(part)?.objectValue, let new = try change(document) else {
                result += part.text
                if !part.text.isEmpty, !part.text.hasSuffix("\n") { result += "\n" }
                continue
            }
            result += YAMLText.text(of: new) + "\n"
        }
        return result
    }

    private func read(_ part: Part) throws -> JSONValue? {
        let documents: [YAMLDocument]
        do throws(YAMLFault) {
            documents = try YAMLReader.parse(part.text)
        } catch {
            throw CommandFailure(.otherFault, "line \(part.line + error.line - 1): \(error.message)")
        }
        guard documents.count <= 1 else {
            throw CommandFailure(
                .otherFault, "line \(part.line): documents are not separated by lines of --- alone: separate them so")
        }
        return documents.first?.value
    }

    private static func lines(_ text: String) -> [String] {
        var lines: [String] = []
        var start = text.utf8.startIndex
        while start < text.utf8.endIndex {
            let end = text.utf8[start...].firstIndex(of: 0x0A).map { text.utf8.index(after: $0) } ?? text.utf8.endIndex
            lines.append(String(text[start..<end]))
            start = end
        }
        return lines
    }

    private static func isSeparator(_ line: String) -> Bool {
        let bytes = Array(line.utf8.prefix(4))
        guard bytes.count >= 3, bytes[0] == 0x2D, bytes[1] == 0x2D, bytes[2] == 0x2D else { return false }
        return bytes.count == 3 || [0x0A, 0x0D, 0x20, 0x09].contains(bytes[3])
    }
}
