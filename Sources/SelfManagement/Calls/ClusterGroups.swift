// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel
internal import Synchronization

/// Which version of a group this API server speaks, asked once.
package final class ClusterGroups: Sendable {
    private let api: any KubernetesAPI
    private let known = Mutex<[String: String]>([:])

    /// Nothing is asked yet.
    package init(api: any KubernetesAPI) { self.api = api }

    /// The first of the versions that the server has; the first of all where it names none of them.
    package func version(of group: String, among wanted: [String]) async throws(KubernetesError) -> String {
        if let version = known.withLock({ $0[group] }) { return version }
        let offered = try await api.versions(ofGroup: group)
        let version = wanted.first(where: offered.contains) ?? wanted[0]
        known.withLock { $0[group] = version }
        return version
    }
}
