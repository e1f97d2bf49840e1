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
    /// - Parameters:
    ///   - kind: what it is: the items of some lists do not say it.
    ///   - before: an earlier state of it; what cannot have changed since is taken from there.
    ///   - compact: makes documents that are kept small.
    package init?(
        _ document: JSONValue, kind: ResourceKind, before: ClusterObject? = nil,
        compact: (JSONValue) -> JSONValue = { $0 }
    ) {
        guard var members = document.objectValue, let metadata = members["metadata"] else { return nil }
        // What somebody wrote there makes no object invalid, and is not read as a part of it.
        status = members["status"].map(compact)
        resourceVersion = metadata["resourceVersion"]?.stringValue ?? ""
        isDeleting = metadata["deletionTimestamp"]?.stringValue != nil
        finalizers = metadata["finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? []
        controllerUID =
            metadata["ownerReferences"]?.arrayValue?
            .first { $0["controller"] == .bool(true) }?["uid"]?.stringValue
        if let before, before.isAlike(metadata, kind) {
            (key, uid, generation, createdAt) = (before.key, before.uid, before.generation, before.createdAt)
            (object, problems, claimedHosts) = (before.object, [], before.claimedHosts)
            return
        }
        members["status"] = nil
        members["kind"] = .string(kind.rawValue)
        members["apiVersion"] = .string(kind.apiVersion)
        var decoded = ResourceDecoder.decode(compact(.object(members)))
        guard let key = decoded.key else { return nil }
        self.key = key
        uid = metadata["uid"]?.stringValue ?? ""
        generation = metadata["generation"]?.intValue ?? 0
        createdAt = metadata["creationTimestamp"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? .latest
        decoded.object?.metadata.uid = uid
        decoded.object?.metadata.generation = generation
        object = decoded.object?.withoutDocuments
        problems = decoded.problems.map(\.description)
        claimedHosts = decoded.claimedHosts
    }

    /// Whether a document with that metadata says the same as this object but for its status and what metadata tells of its life: the
    /// API server counts changes of `spec`.
    private func isAlike(_ metadata: JSONValue, _ kind: ResourceKind) -> Bool {
        guard kind.isOwn, kind == key.kind, problems.isEmpty, let known = object?.metadata, !uid.isEmpty,
            generation > 0,
            metadata["uid"]?.stringValue == uid, metadata["generation"]?.intValue == generation,
            metadata["name"]?.stringValue == key.name, metadata["namespace"]?.stringValue == key.namespace
        else { return false }
        return Self.says(metadata["labels"], known.labels) && Self.says(metadata["annotations"], known.annotations)
    }

    private static func says(_ document: JSONValue?, _ texts: [String: String]) -> Bool {
        guard let members = document?.objectValue?.members else { return texts.isEmpty && document == nil }
        return members.count == texts.count
            && members.allSatisfy { member in
                guard let text = member.value.stringValue, let known = texts[member.name] else { return false }
                return text.utf8.elementsEqual(known.utf8)
            }
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
        uid != other.uid || isDeleting != other.isDeleting || controllerUID != other.controllerUID
            || object?.metadata.labels != other.object?.metadata.labels
            || object?.metadata.annotations != other.object?.metadata.annotations || problems != other.problems
            || (key.kind.isOwn ? generation != other.generation : object != other.object)
    }

    /// Whether this is a later state than the other one, as far as versions can be compared.
    package func isNewer(than other: ClusterObject) -> Bool {
        guard let own = UInt64(resourceVersion), let others = UInt64(other.resourceVersion) else { return true }
        return own > others
    }
}
