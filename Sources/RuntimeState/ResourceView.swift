// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One object as `GET /v1/resources` and `tollgate get` show it.
package struct ResourceView: Sendable {
    package var kind: String
    package var namespace: String
    package var name: String
    /// apiVersion, kind, metadata, status and source.
    package var json: JSONObject

    package init(kind: String, namespace: String, name: String, json: JSONObject) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.json = json
    }
}

/// What the control side shows of its objects.
package protocol ResourceCatalog: Sendable {
    /// The objects in force or refused, sorted by kind, namespace and name, and the snapshot generation they belong to.
    func resources(kind: String?, namespace: String?) -> (items: [ResourceView], snapshot: UInt64)
}
