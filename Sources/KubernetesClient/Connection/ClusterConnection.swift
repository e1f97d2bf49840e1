// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where an API server is and as whom it is spoken to.
package struct ClusterConnection: Sendable {
    /// `https://host:port` without a path.
    package var server: String
    /// The namespace that the connection's source names: the service account's, or the context's.
    package var namespace: String?

    package init(server: String, namespace: String? = nil) {
        self.server = server
        self.namespace = namespace
    }
}
