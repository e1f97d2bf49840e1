// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import ManifestFiles
internal import ResourceModel

/// Reads rules files; what is wrong in one is told with its line and field.
enum RulesFile {
    private static let maximumBytes = 1 << 20

    /// The rules of a file.
    ///
    /// - Throws: `RulesFileProblem`.
    static func load(_ path: String) throws(RulesFileProblem) -> HealingRules {
        try parse(try read(path), name: path)
    }

    /// The bytes of a file.
    static func read(_ path: String) throws(RulesFileProblem) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: maximumBytes)
        } catch {
            throw RulesFileProblem(["\(path): \(error)"])
        }
        guard let bytes else { throw RulesFileProblem(["\(path): there is no such file"]) }
        return bytes
    }

    /// The rules that a text holds.
    static func parse(_ bytes: [UInt8], name: String) throws(RulesFileProblem) -> HealingRules {
        try rules(in: try document(bytes, name: name), name: name)
    }

    /// The one document of a text.
    static func document(_ bytes: [UInt8], name: String) throws(RulesFileProblem) -> YAMLDocument {
        let documents: [YAMLDocument]
        do {
            documents = try YAMLReader.parse(bytes)
        } catch {
            throw RulesFileProblem(["\(name):\(error.line): \(error.message)"])
        }
        guard let document = documents.first, documents.count == 1 else {
            throw RulesFileProblem(["\(name):1: expected exactly one document with version and rules"])
        }
        return document
    }

    /// The rules that a document holds.
    static func rules(in document: YAMLDocument, name: String) throws(RulesFileProblem) -> HealingRules {
        do {
            return try HealingRules.read(document.value)
        } catch {
            throw RulesFileProblem(
                error.faults.map { fault in
                    "\(name):\(line(of: fault, in: document)): \(fault.field): \(fault.message)"
                })
        }
    }

    /// The line of a place in the document.
    static func line(of fault: RulesFault, in document: YAMLDocument) -> Int {
        let path = FieldPath(
            fault.steps.map { step in
                switch step {
                case .member(let name): .member(name)
                case .element(let index): .element(index)
                }
            })
        return document.lines.line(of: path, in: document.value)
    }
}

/// Why a rules file cannot be used: at least one line of `file:line: field: message`.
struct RulesFileProblem: Error, Sendable, Hashable, CustomStringConvertible {
    let lines: [String]

    init(_ lines: [String]) { self.lines = lines }

    var description: String { lines.joined(separator: "; ") }
}
