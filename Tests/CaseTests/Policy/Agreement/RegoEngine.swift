// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// The shipped Rego policies in a real engine, asked about many inputs at once.
enum RegoEngine {
    /// One thing to ask, and under which role document.
    struct Question: Sendable {
        /// Which of the documents.
        var data: Int
        var input: JSONValue
    }

    /// How many engines work side by side.
    private static let engines = 2

    /// What the four packages say to each question, in order.
    ///
    /// - Throws: `PeerFault` with the end of its output when an engine fails.
    static func answers(_ questions: [Question], documents: [JSONValue]) async throws -> [JSONValue] {
        let folder = try TemporaryDirectory()
        let share = (questions.count + engines - 1) / engines
        return try await withThrowingTaskGroup(of: (Int, [JSONValue]).self) { group in
            for number in 0..<engines {
                let part = Array(questions.dropFirst(number * share).prefix(share))
                group.addTask { (number, try await ask(part, documents: documents, number: number, folder: folder)) }
            }
            var parts: [Int: [JSONValue]] = [:]
            for try await (number, answers) in group { parts[number] = answers }
            return (0..<engines).flatMap { parts[$0] ?? [] }
        }
    }

    private static func ask(
        _ questions: [Question], documents: [JSONValue], number: Int, folder: TemporaryDirectory
    ) async throws -> [JSONValue] {
        // One document after the other: to change it costs more than to answer.
        let order = questions.indices.sorted { (questions[$0].data, $0) < (questions[$1].data, $1) }
        var lines: [UInt8] = []
        var data = -1
        for index in order {
            if questions[index].data != data {
                data = questions[index].data
                lines += JSONValue.object(["data": documents[data]]).encoded() + [0x0A]
            }
            lines += JSONValue.object(["input": questions[index].input]).encoded() + [0x0A]
        }
        let (asked, answered) = (folder.path("questions-\(number)"), folder.path("answers-\(number)"))
        try Data(lines).write(to: URL(filePath: asked))
        let run = try await PeerProcess.run(
            name: "policy-engine-\(number)", executable: PeerPaths.path(of: .policyEngine),
            arguments: ["answer", Repository.root.appending(path: "policies").path, asked, answered], folder: folder,
            within: .seconds(500))
        guard run.status == 0 else { throw PeerFault(message: "the policy engine: \(run.output.suffix(2000))") }
        let texts = try String(contentsOf: URL(filePath: answered), encoding: .utf8).split(separator: "\n")
        guard texts.count == order.count else { throw PeerFault(message: "\(texts.count) answers of \(order.count)") }
        var answers = [JSONValue](repeating: .null, count: questions.count)
        for (index, text) in zip(order, texts) { answers[index] = try JSONParser.parse(Array(text.utf8)) }
        return answers
    }
}
