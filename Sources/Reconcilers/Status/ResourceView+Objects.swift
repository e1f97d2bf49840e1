// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ManifestFiles
internal import ResourceModel
internal import RuntimeState

extension ResourceView {
    /// An object with its status, and where it stands when that is a file.
    init(_ input: CompilerInput, status: JSONValue?, source: ManifestSource?) {
        let key = input.key
        let labels = (input.object?.metadata.labels ?? [:]).sorted { $0.key < $1.key }
        var json: JSONObject = [
            "apiVersion": .string(key.kind.apiVersion), "kind": .string(key.kind.rawValue),
            "metadata": [
                "name": .string(key.name), "namespace": .string(key.namespace), "generation": .int(input.generation),
                "labels": .object(JSONObject(labels.map { ($0.key, .string($0.value)) })),
            ],
            "status": status ?? .null,
        ]
        json["source"] = source.map { ["file": .string($0.file), "line": .int(Int64($0.line))] } ?? .null
        self.init(kind: key.kind.rawValue, namespace: key.namespace, name: key.name, json: json)
    }
}
