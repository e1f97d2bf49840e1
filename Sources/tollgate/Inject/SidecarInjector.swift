// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Adds the container to workloads. Pure; what is done twice is the same as what is done once.
struct SidecarInjector {
    /// Why a workload cannot have the container.
    struct Fault: Error, CustomStringConvertible, Equatable {
        let description: String
    }

    /// Where the pod is in an object of each kind that is taken.
    private static let places: [String: [String]] = [
        "Pod": [], "Deployment": ["spec", "template"], "StatefulSet": ["spec", "template"],
        "DaemonSet": ["spec", "template"], "ReplicaSet": ["spec", "template"], "Job": ["spec", "template"],
        "CronJob": ["spec", "jobTemplate", "spec", "template"],
    ]
    private static let groups: [String: String] = [
        "Pod": "v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1",
        "ReplicaSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1",
    ]
    /// The kinds that are taken, for messages.
    static let kinds = "Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob or Pod"
    /// Names the AuthConfig on the pod, for people.
    static let annotation = "tollgate.dev/sidecar"

    let sidecar: SidecarContainer

    /// The object with the container; nil when it is of another kind.
    func inject(into object: JSONObject) throws(Fault) -> JSONObject? {
        guard let kind = object["kind"]?.stringValue else { return nil }
        if kind == "List", object["apiVersion"] == "v1" { return try injectList(object) }
        guard let place = Self.places[kind], object["apiVersion"]?.stringValue == Self.groups[kind] else { return nil }
        let name = "\(kind) \(object["metadata"]?["name"]?.stringValue ?? "without a name")"
        return try Self.changing(object, at: place[...], of: name) { pod throws(Fault) in
            try injectPod(pod, of: name)
        }
    }

    private func injectList(_ list: JSONObject) throws(Fault) -> JSONObject? {
        var isChanged = false
        var items: [JSONValue] = []
        for item in list["items"]?.arrayValue ?? [] {
            if let object = item.objectValue, let new = try inject(into: object) {
                isChanged = true
                items.append(.object(new))
            } else {
                items.append(item)
            }
        }
        guard isChanged else { return nil }
        var result = list
        result["items"] = .array(items)
        return result
    }

    private static func changing(
        _ object: JSONObject, at path: ArraySlice<String>, of name: String,
        _ change: (JSONObject) throws(Fault) -> JSONObject
    ) throws(Fault) -> JSONObject {
        guard let member = path.first else { return try change(object) }
        guard let inner = object[member]?.objectValue else {
            throw Fault(description: "\(name): \(member) is missing or no object")
        }
        var result = object
        result[member] = .object(try changing(inner, at: path.dropFirst(), of: name, change))
        return result
    }

    /// The pod, or the template of one.
    private func injectPod(_ pod: JSONObject, of name: String) throws(Fault) -> JSONObject {
        guard var spec = pod["spec"]?.objectValue, spec["containers"]?.arrayValue?.isEmpty == false else {
            throw Fault(description: "\(name): its pod has no containers")
        }
        try check(spec, of: name)
        spec["initContainers"] = .array(
            Self.placing(sidecar.container, in: try Self.list(spec, "initContainers", of: name)))
        let known = [
            SidecarContainer.dataVolume, SidecarContainer.temporaryVolume, SidecarContainer.tokenVolume,
            SidecarContainer.authorityVolume,
        ]
        let volumes = try Self.list(spec, "volumes", of: name).filter { volume in
            // What an earlier call added and this one does not need.
            volume["name"]?.stringValue.map { !known.contains($0) } ?? true
        }
        spec["volumes"] = .array(volumes + sidecar.volumes)
        var result = pod
        result["spec"] = .object(spec)
        var metadata = pod["metadata"]?.objectValue ?? JSONObject()
        var annotations = metadata["annotations"]?.objectValue ?? JSONObject()
        annotations[Self.annotation] = .string(sidecar.authConfig)
        metadata["annotations"] = .object(annotations)
        result["metadata"] = .object(metadata)
        return result
    }

    /// What would make the container useless or unsafe.
    private func check(_ spec: JSONObject, of name: String) throws(Fault) {
        if spec["hostNetwork"] == true {
            throw Fault(
                description:
                    "\(name): it is on the network of its node, so every process of the node could ask the sidecar: leave hostNetwork out"
            )
        }
        let containers = try Self.list(spec, "containers", of: name)
        if containers.contains(where: { $0["name"]?.stringValue == SidecarContainer.name }) {
            throw Fault(
                description:
                    "\(name): it has a container \(SidecarContainer.name) already that is not a native sidecar: remove it or inject nothing"
            )
        }
        let others = try Self.list(spec, "initContainers", of: name).filter {
            $0["name"]?.stringValue != SidecarContainer.name
        }
        for container in containers + others {
            for port in container["ports"]?.arrayValue ?? [] {
                guard let number = port["containerPort"]?.intValue else { continue }
                guard number != Int64(sidecar.port), number != Int64(sidecar.probePort) else {
                    throw Fault(
                        description:
                            "\(name): container \(container["name"]?.stringValue ?? "") listens on \(number) too: choose others with --port and --probe-port"
                    )
                }
            }
        }
    }

    private static func list(_ spec: JSONObject, _ member: String, of name: String) throws(Fault) -> [JSONValue] {
        guard let value = spec[member], !value.isNull else { return [] }
        guard let list = value.arrayValue else { throw Fault(description: "\(name): \(member) is no list") }
        return list
    }

    /// The list with an element in the place of the one of its name, else at the front: others may need it while they start.
    private static func placing(_ element: JSONValue, in list: [JSONValue]) -> [JSONValue] {
        var result = list
        if let index = result.firstIndex(where: { $0["name"] == element["name"] }) {
            result[index] = element
        } else {
            result.insert(element, at: 0)
        }
        return result
    }
}
