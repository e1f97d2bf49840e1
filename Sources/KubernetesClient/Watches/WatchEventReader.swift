// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Reads the lines of a watch.
enum WatchEventReader {
    private static let initialEventsEnd = "k8s.io/initial-events-end"

    /// The event of a line.
    ///
    /// - Throws: `malformedAnswer` for what is no event.
    static func event(_ line: [UInt8]) throws(KubernetesError) -> WatchEvent {
        let document: JSONValue
        do {
            document = try JSONParser.parse(line, limits: .event)
        } catch {
            throw KubernetesError(.malformedAnswer, message: "a line of the watch is not JSON: \(error)")
        }
        guard let type = document["type"]?.stringValue, let object = document["object"], object.objectValue != nil
        else {
            throw KubernetesError(.malformedAnswer, message: "a line of the watch has no type or no object")
        }
        switch type {
        case "ADDED": return .added(ObjectTrimmer.trimmed(object))
        case "MODIFIED": return .modified(ObjectTrimmer.trimmed(object))
        case "DELETED": return .deleted(ObjectTrimmer.trimmed(object))
        case "ERROR": return .error(StatusReader.error(event: object))
        case "BOOKMARK":
            let metadata = object["metadata"]
            guard let version = metadata?["resourceVersion"]?.stringValue, !version.isEmpty else {
                throw KubernetesError(.malformedAnswer, message: "a bookmark of the watch has no resourceVersion")
            }
            return .bookmark(
                resourceVersion: version,
                endsInitialEvents: metadata?["annotations"]?[initialEventsEnd]?.stringValue == "true")
        default:
            throw KubernetesError(.malformedAnswer, message: "a line of the watch has the type \(type.prefix(32))")
        }
    }
}

extension JSONParser.Limits {
    /// For objects of the API: they may be 8 MiB and nest as deep as the schemas of CustomResourceDefinitions.
    static let kubernetes = JSONParser.Limits(depth: 256, values: 4_000_000)
    /// The same for an object by itself, whose record of who wrote what is read over: nobody here reads it, and it is often half of all.
    static let object = JSONParser.Limits(
        depth: 256, values: 4_000_000, omitted: ["metadata", "managedFields"])
    /// The same for an event of a watch.
    static let event = JSONParser.Limits(
        depth: 256, values: 4_000_000, omitted: ["object", "metadata", "managedFields"])
}
