// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Does something with every element, several at a time.
func forEach<Element: Sendable>(
    _ elements: [Element], writers: Int, _ body: @escaping @Sendable (Element) async throws -> Void
) async throws {
    let next = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<writers {
            group.addTask {
                while true {
                    let index = next.increment()
                    guard index < elements.count else { return }
                    try await body(elements[index])
                }
            }
        }
        try await group.waitForAll()
    }
}

/// Counts from several tasks.
final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    /// - Returns: what it was before.
    @discardableResult
    func increment() -> Int { count.add(1, ordering: .relaxed).oldValue }
}

/// A figure with that many digits behind the point.
func fixed(_ value: Double, _ digits: Int = 1) -> String {
    guard value.isFinite else { return "-" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = Int64((value * scale).rounded())
    guard digits > 0 else { return grouped(whole) }
    let fraction = String(whole.magnitude % UInt64(scale))
    return grouped(whole / Int64(scale)) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
}

/// A number with a comma between thousands.
func grouped(_ number: Int64) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
        if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

extension Duration {
    /// As a fraction of seconds.
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
