// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension ControlPlane {
    /// Whether the server knows init containers that go on running, as Kubernetes does since 1.29.
    package func knowsNativeSidecars() async throws -> Bool {
        let output = try await kubectlOutput(["get", "--raw", "/version"])
        // Warnings of kubectl about versions come first.
        guard let start = output.firstIndex(of: "{"),
            let minor = try JSONParser.parse(text: String(output[start...]))["minor"]?.stringValue,
            let number = Int(minor.prefix { $0.isNumber })
        else { throw PeerFault(message: "no version: \(output)") }
        return number >= 29
    }

    /// A file for kubectl with objects as this server can judge them: where it does not know native sidecars they are ordinary containers,
    /// and CronJobs have their older version.
    package func write(_ objects: [JSONValue], to name: String) async throws -> String {
        let items = try await knowsNativeSidecars() ? objects : objects.map(Self.older)
        let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(items)]
        return try folder.write(list.jsonText, to: name)
    }

    private static func older(_ value: JSONValue) -> JSONValue {
        guard let object = value.objectValue else {
            return value.arrayValue.map { .array($0.map(older)) } ?? value
        }
        var result = JSONObject(object.members.map { ($0.name, older($0.value)) })
        if result["kind"] == "CronJob" { result["apiVersion"] = "batch/v1beta1" }
        guard let containers = result["initContainers"]?.arrayValue else { return .object(result) }
        let sidecars = containers.compactMap { container -> JSONValue? in
            guard container["restartPolicy"] == "Always", var ordinary = container.objectValue else { return nil }
            ordinary["restartPolicy"] = nil
            return .object(ordinary)
        }
        result["initContainers"] = .array(containers.filter { $0["restartPolicy"] != "Always" })
        result["containers"] = .array((result["containers"]?.arrayValue ?? []) + sidecars)
        return .object(result)
    }
}
