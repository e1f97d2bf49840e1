// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension UsageCandidate {
    /// An event that was checked where it came in: it only may be a repeat.
    package init(_ event: UsageEvent, index: Int = 0) {
        self.init(
            index: index, id: event.id, source: event.source, account: event.account,
            state: .taken(digest: event.digest, content: .success(event)))
    }
}
