// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A boolean query with a mark under the place where it is wrong.
struct QueryFaultText {
    /// Characters that are shown before and behind the place.
    private static let before = 60
    private static let behind = 20

    /// Two lines: the query, or what stands around the place, and the mark with the reason.
    let text: String

    /// Nil when the failure does not say where a query is wrong, or is shown as a document.
    init?(_ query: String, failure: CommandFailure) {
        guard failure.format == .table, failure.envelope?["code"] == "audit.bad_query",
            let details = failure.envelope?["details"], let position = details["position"]?.intValue,
            let reason = details["reason"]?.stringValue, position >= 0
        else { return nil }
        let scalars = query.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }
        let place = min(Int(position), scalars.count)
        var (left, right) = (Self.string(scalars[..<place]), Self.string(scalars[place...]))
        if left.count > Self.before { left = "…" + left.suffix(Self.before) }
        if right.count > Self.behind { right = right.prefix(Self.behind) + "…" }
        text = "  \(left)\(right)\n  \(String(repeating: " ", count: left.count))^ \(reason)"
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
