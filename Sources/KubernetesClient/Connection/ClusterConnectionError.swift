// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a connection cannot be made from what describes it. The message names the file, the field and the mend.
package struct ClusterConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller acts on.
    package enum Code: String, Sendable, CaseIterable {
        /// The file is not there.
        case missingFile
        /// The file is there and cannot be read, or is too large.
        case unreadableFile
        /// The file is no YAML, or its parts have another shape than they must.
        case malformedFile
        /// A name leads to nothing: the current context, its cluster or its user.
        case unknownName
        /// A field has a value that cannot be used.
        case badField
        /// A way of signing in that Tollgate does not have.
        case unsupported
        /// Nothing says where a cluster is.
        case notInCluster
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
