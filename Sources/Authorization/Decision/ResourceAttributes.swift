// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What is known of the resource that a request is about. Empty text is absent. Compared as bytes.
package struct ResourceAttributes: Sendable, Hashable {
    package var type: String?
    package var id: String?
    package var owner: String?
    package var tenant: String?
    package var project: String?

    package init(
        type: String? = nil, id: String? = nil, owner: String? = nil, tenant: String? = nil, project: String? = nil
    ) {
        func present(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }
        self.type = present(type)
        self.id = present(id)
        self.owner = present(owner)
        self.tenant = present(tenant)
        self.project = present(project)
    }

    /// Whether nothing is known.
    package var isEmpty: Bool { self == ResourceAttributes() }
}
