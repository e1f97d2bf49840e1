// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Foundation
internal import TestSupport

/// The shipped policy, compiled once for all tests.
enum ShippedPolicy {
    static let compiled = Result { try CompiledPolicy.builtIn(routesDocument: YAMLText.json(BuiltInPolicy.routesYAML)) }

    /// The text of a file of the repository.
    static func file(_ path: String) throws -> String {
        try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
    }

    /// A canonical path of a test.
    static func path(_ text: String) throws -> CanonicalPath { try CanonicalPath.parse(text).get() }
}
