// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// An object as an API server has it: what the kinds are compiled from, and what writing it back needs.
///
/// Immutable, and one reference to pass on: caches of thousands keep room for more than they hold.
package final class ClusterObject: Sendable {
    package let key: ObjectKey
    package let uid: String
    package let resourceVersion: String
    package let generation: Int64
    package let createdAt: Timestamp
    /// Whether it has a deletionTimestamp: it is out of force from then on.
    package let isDeleting: Bool
    package let finalizers: [String]
    /// The object that controls this one.
    package let controllerUID: String?
    package let status: JSONValue?
    /// The object as the model reads it; nil where `problems` says why not.
    package let object: ManifestObject?
    package let problems: [String]
    /// The hosts that an AuthConfig names even when it is refused.
    package let claimedHosts: [String]

    /// Reads an object; nil when it has no name.
    ///
    /// - Parameter kind: what it is: the items of some lists do not say it.
    package init?(_ document: JSONValue, kind: ResourceKind) {
        guard var members = document.objectValue else { return nil }
        members["kind"] = .string(kind.rawValue)
        members["apiVersion"] = .string(kind.apiVersion)
        var decoded = ResourceDecoder.decode(.object(members))
        guard let key = decoded.key, let metadata = members["metadata"] else { return nil }
        self.key = key
        uid = metadata["uid"]?.stringValue ?? ""
        resourceVersion = metadata["resourceVersion"]?.stringValue ?? ""
        generation = metadata["generation"]?.intValue ?? 0
        createdAt = metadata["creationTimestamp"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? .latest
        isDeleting = metadata["deletionTimestamp"]?.stringValue != nil
        finalizers = metadata["finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? []
        controllerUID =
            metadata["ownerReferences"]?.arrayValue?
            .first { $0["controller"] == .bool(true) }?["uid"]?.stringValue
        status = members["status"]
        decoded.object?.metadata.uid = uid
        decoded.object?.metadata.generation = generation
        object = decoded.object
        problems = decoded.problems.map(\.description)
        claimedHosts = decoded.claimedHosts
    }

    /// What the compilers are given.
    package var input: CompilerInput {
        CompilerInput(
            key: key, object: object, problems: problems, claimedHosts: claimedHosts, generation: generation,
            createdAt: createdAt)
    }

    /// Where the API has it.
    package var reference: APIObjectReference {
        APIObjectReference(.of(key.kind), namespace: key.namespace, name: key.name)
    }

    /// Whether anything but the status differs: what is worth compiling again.
    package func differs(from other: ClusterObject) -> Bool {
        uid != other.uid || isDeleting != other.isDeleting || object?.metadata.labels != other.object?.metadata.labels
            || object?.metadata.annotations != other.object?.metadata.annotations || problems != other.problems
            || (key.kind.isOwn ? generation != other.generation : object != other.object)
    }

    /// Whether this is a later state than the other one, as far as versions can be compared.
    package func isNewer(than other: ClusterObject) -> Bool {
        guard let own = UInt64(resourceVersion), let others = UInt64(other.resourceVersion) else { return true }
        return own > others
    }
}
