// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A set of roles by their number in the table. The first 64 need no memory of their own.
struct RoleSet: Sendable, Hashable {
    private var low: UInt64 = 0
    private var high: [UInt64] = []

    init() {}

    var isEmpty: Bool { low == 0 && high.allSatisfy { $0 == 0 } }

    func contains(_ role: Int) -> Bool {
        if role < 64 { return low & 1 << UInt64(role) != 0 }
        let word = role / 64 - 1
        return word < high.count && high[word] & 1 << UInt64(role % 64) != 0
    }

    mutating func insert(_ role: Int) {
        if role < 64 {
            low |= 1 << UInt64(role)
            return
        }
        let word = role / 64 - 1
        while high.count <= word { high.append(0) }
        high[word] |= 1 << UInt64(role % 64)
    }

    mutating func formUnion(_ other: RoleSet) {
        low |= other.low
        while high.count < other.high.count { high.append(0) }
        for word in other.high.indices { high[word] |= other.high[word] }
    }

    func isDisjoint(with other: RoleSet) -> Bool {
        guard low & other.low == 0 else { return false }
        return zip(high, other.high).allSatisfy { $0 & $1 == 0 }
    }
}
