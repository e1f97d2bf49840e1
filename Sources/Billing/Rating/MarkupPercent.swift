// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is added to the list price, in percent: 0 to 1000 with at most two decimals.
package struct MarkupPercent: Sendable, Hashable {
    /// Hundredths of a percent, 0 to 100 000.
    package let hundredths: Int64

    /// Nothing is added.
    package static let none = MarkupPercent(unchecked: 0)

    /// Nil where it is out of range.
    package init?(hundredths: Int64) {
        guard (0...100_000).contains(hundredths) else { return nil }
        self.hundredths = hundredths
    }

    /// Reads a number or a decimal text; nil where it is none or out of range.
    package init?(json value: JSONValue) {
        guard let hundredths = DecimalText.parse(value, decimals: 2, wholeDigits: 4) else { return nil }
        self.init(hundredths: hundredths)
    }

    private init(unchecked hundredths: Int64) { self.hundredths = hundredths }

    /// As it is written: `12.5`.
    package var text: String { DecimalText.text(hundredths, decimals: 2) }
}
