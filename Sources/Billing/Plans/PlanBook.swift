// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The catalogue in force, and a word to whoever compiles accounts from it when there is another one.
package final class PlanBook: Sendable {
    private let present: Mutex<PlanCatalogue>
    private let stream: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    package init(_ catalogue: PlanCatalogue) {
        present = Mutex(catalogue)
        (stream, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The catalogue in force.
    package var catalogue: PlanCatalogue { present.withLock { $0 } }

    /// One element after changes; for one reader.
    package var changes: AsyncStream<Void> { stream }

    /// Puts another catalogue in force.
    package func replace(_ catalogue: PlanCatalogue) {
        let differs = present.withLock { present in
            defer { present = catalogue }
            return present != catalogue
        }
        if differs { changed.yield() }
    }
}
