// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// An implementation that does not keep its contract.
package struct ContractBroken: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }

    /// Throws unless it holds.
    package static func hold(_ condition: Bool, file: String = #fileID, line: UInt = #line) throws {
        guard !condition else { return }
        throw ContractBroken(description: "what \(file) says in line \(line) does not hold")
    }
}
