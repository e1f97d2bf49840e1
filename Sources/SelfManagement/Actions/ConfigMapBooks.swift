// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import Healing
package import ResourceModel

/// Keeps the healing books in a ConfigMap, for a cluster without a shared database: one key a line, at most 512.
package struct ConfigMapBooks: HealingBookStore {
    private let api: any KubernetesAPI
    private let object: APIObjectReference

    /// - Parameter name: `<deployment>-healing-state`.
    package init(api: any KubernetesAPI, namespace: String, name: String) {
        self.api = api
        object = APIObjectReference(.configMaps, namespace: namespace, name: name)
    }

    package func load() async throws -> [BookRecord] {
        guard let document = try await find() else { return [] }
        return (document["data"]?.objectValue?.members ?? []).compactMap { member in
            // A key that somebody wrote by hand is no line of the books.
            guard let text = member.value.stringValue, let line = (try? JSONParser.parse(text: text))?.objectValue,
                let at = line["at"]?.intValue, let value = line["value"]?.objectValue
            else { return nil }
            return BookRecord(key: member.name, at: Timestamp(microseconds: at), value: value)
        }
    }

    package func write(_ changes: [BookChange]) async throws {
        guard !changes.isEmpty else { return }
        let data = JSONObject(
            changes.map { change in
                switch change {
                case .put(let record): (record.key, .string(Self.text(record)))
                case .remove(let key): (key, .null)
                }
            })
        try await put(data)
    }

    private func find() async throws(KubernetesError) -> JSONValue? {
        do throws(KubernetesError) {
            return try await api.get(object, subresource: nil)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Makes the object by applying it where it is not there: rights to create that hold for one name do not cover a POST.
    private func put(_ data: JSONObject) async throws(KubernetesError) {
        do throws(KubernetesError) {
            _ = try await api.patch(object, subresource: nil, .merge(["data": .object(data)]))
        } catch  where error.code == .notFound {
            let present = JSONObject(data.members.filter { !$0.value.isNull }.map { ($0.name, $0.value) })
            _ = try await api.patch(
                object, subresource: nil,
                .apply(
                    [
                        "apiVersion": "v1", "kind": "ConfigMap",
                        "metadata": [
                            "name": .string(object.name), "namespace": .optional(object.namespace),
                            "labels": ["app.kubernetes.io/managed-by": "tollgate"],
                        ], "data": .object(present),
                    ], force: true))
        }
    }

    private static func text(_ record: BookRecord) -> String {
        JSONValue.object(["at": .int(record.at.microseconds), "value": .object(record.value)]).jsonText
    }
}
