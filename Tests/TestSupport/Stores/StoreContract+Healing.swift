// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing

extension StoreContract {
    /// What stores of the healing books and of notices do.
    package static let healing: [Behaviour] = [
        Behaviour("healing: lines are put, replaced and taken out together", replicas: 2) {
            try await $0.keepsTheBooks()
        },
        Behaviour("healing: notices wait until they are due", replicas: 2) { try await $0.keepsNotices() },
    ]

    private func keepsTheBooks() async throws {
        let (first, second) = (try found(replicas[0].healing), try found(replicas[1].healing))
        let at = clock.now()
        let line = BookRecord(key: "a.1", at: at, value: ["state": "sending", "ä": ["\"", 1, .null]])
        let other = BookRecord(key: "s.2", at: at.adding(seconds: 1), value: [:])
        try hold(try await first.load().isEmpty)
        try await first.write([.put(line), .put(other)])
        try hold(try await second.load() == [line, other])
        var changed = line
        changed.value = ["state": "ok"]
        try await second.write([.put(changed), .remove(key: "s.2"), .remove(key: "nothing")])
        try hold(try await first.load() == [changed])
        try await first.write([])
    }

    private func keepsNotices() async throws {
        let (first, second) = (try found(replicas[0].healing), try found(replicas[1].healing))
        let now = clock.now()
        let notices = (0..<3).map { number in
            HealingNotice(
                id: "n\(number)", channel: .slack, kind: .failed, at: now.adding(seconds: Int64(number)),
                event: ["alertname": "A", "err": "ü"], labels: ["a": "b"])
        }
        try await first.add(notices)
        try await first.add([notices[0]])
        try hold(try await second.due(at: now, limit: 10).notices.map(\.notice) == [notices[0]])
        try hold(
            try await second.due(at: now.adding(seconds: 9), limit: 2).notices.map(\.notice) == Array(notices.prefix(2))
        )
        try await second.postpone("n0", tries: 1, until: now.adding(seconds: 60))
        let late = try await first.due(at: now.adding(seconds: 60), limit: 10).notices
        try hold(late.map(\.notice.id) == ["n1", "n2", "n0"])
        try hold(late.map(\.tries) == [0, 0, 1])
        for notice in notices { try await first.remove(notice.id) }
        try hold(try await second.due(at: now.adding(seconds: 600), limit: 10).isEmpty)
    }
}
