// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension SharePermissions {
    private static let named: [(name: String, permission: SharePermissions)] = [
        ("read", .read), ("use", .use), ("manage", .manage),
    ]

    /// `read`, `use`, `manage`, in this order.
    package static let allNames = named.map(\.name)

    /// Reads names.
    ///
    /// - Returns: nil when there is none, or one that is unknown.
    package init?(names: [String]) {
        self = []
        for name in names {
            guard let found = Self.named.first(where: { $0.name == name }) else { return nil }
            insert(found.permission)
        }
        if isEmpty { return nil }
    }

    /// Whether it covers an action that the other does not: `manage` covers what `use` covers, and `use` what `read` covers.
    package func exceeds(_ other: SharePermissions) -> Bool { reach > other.reach }

    private var reach: Int {
        if contains(.manage) { return 3 }
        if contains(.use) { return 2 }
        return contains(.read) ? 1 : 0
    }
}
