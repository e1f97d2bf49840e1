// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import Logging
internal import SelfManagement

/// Reads the rules file again when it changes. A file that cannot be used leaves the last good rules in force.
actor RulesFileFollower {
    private static let interval = Duration.seconds(2)

    private let file: String
    private let book: RulesBook
    private let metrics: HealingMetrics
    private let logger: Logger
    private let arrival: @Sendable (HealingRules) -> Void
    /// What the file said when it was looked at last.
    private var seen: Result<[UInt8], RulesFileProblem>?

    /// Takes the book to write into; the rules in it are what the file held at the start.
    ///
    /// - Parameter arrival: called with other rules when they are in force.
    init(
        file: String, book: RulesBook, metrics: HealingMetrics, logger: Logger,
        arrival: @escaping @Sendable (HealingRules) -> Void = { _ in }
    ) {
        self.file = file
        self.book = book
        self.metrics = metrics
        self.logger = logger
        self.arrival = arrival
    }

    /// Looks every two seconds, until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            look()
            // A cancelled wait ends the loop at its condition.
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Looks once.
    func look() {
        let now = Result { () throws(RulesFileProblem) in try RulesFile.read(file) }
        guard now != seen else { return }
        seen = now
        do throws(RulesFileProblem) {
            let rules = try RulesFile.parse(try now.get(), name: file)
            let isNew = rules != book.rules
            book.replace(rules)
            guard isNew else { return }
            metrics.loaded(rules)
            logger.notice(
                "healing rules in force", metadata: [LogKeys.file: "\(file)", "rules": "\(rules.rules.count)"])
            arrival(rules)
        } catch {
            book.refuse(error.lines.first ?? "it cannot be used")
            metrics.refusedRules()
            logger.error(
                "the healing rules are refused, the last good ones stay in force",
                metadata: [LogKeys.file: "\(file)", LogKeys.reason: "\(error)"])
        }
    }
}
