// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How far two names are from each other, for "did you mean".
enum EditDistance {
    /// The number of inserted, removed or replaced bytes; nil when it is above the bound or a name is longer than 64 bytes.
    static func between(_ left: String, _ right: String, atMost bound: Int) -> Int? {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        guard left.count <= 64, right.count <= 64, abs(left.count - right.count) <= bound, left.count > bound else {
            return nil
        }
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let cost = diagonal + (right[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(cost, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count] <= bound ? row[right.count] : nil
    }
}
