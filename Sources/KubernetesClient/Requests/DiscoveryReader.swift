// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Reads what the server says about an API group.
enum DiscoveryReader {
    /// The versions of an APIGroup, the preferred one first; of an APIVersions document (the core group) in its order.
    static func versions(_ document: JSONValue) throws(KubernetesError) -> [String] {
        guard let entries = document["versions"]?.arrayValue else {
            throw KubernetesError(.malformedAnswer, message: "the description of the API group has no versions")
        }
        var versions = entries.compactMap { $0.stringValue ?? $0["version"]?.stringValue }
        guard versions.count == entries.count else {
            throw KubernetesError(.malformedAnswer, message: "a version of the API group has no name")
        }
        if let preferred = document["preferredVersion"]?["version"]?.stringValue,
            let index = versions.firstIndex(of: preferred)
        {
            versions.insert(versions.remove(at: index), at: 0)
        }
        return versions
    }
}
