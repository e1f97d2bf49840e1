// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import ManifestFiles
package import ResourceModel
package import RuntimeState
internal import Synchronization

/// Policy data as a ConfigMap, among the manifests or of an API server: keys `data.json` and `routes.yaml`, the built-in copy's where one is missing.
///
/// It says what the last pass over the objects found. Changing it is for whoever writes them.
package final class ManifestPolicySource: PolicySource {
    /// Which ConfigMap.
    package let key: ObjectKey
    private let reading = Mutex<PolicyReading?>(nil)
    private let place: String

    /// - Parameter place: where it stands, as a sentence goes on after its name.
    package init(namespace: String, name: String, place: String = "among the manifests") {
        key = ObjectKey(kind: .configMap, namespace: namespace, name: name)
        self.place = place
    }

    package func read() -> PolicyReading? { reading.withLock { $0 } }

    package func write(roles: [UInt8], over texts: PolicyTexts) async throws(PolicyWriteFailure) {
        throw PolicyWriteFailure(.failed, origin.readOnlyReason ?? "")
    }

    /// Takes up what the manifests hold now.
    package func take(_ load: ManifestLoad) {
        let content = content(load)
        reading.withLock { reading in
            if let content {
                reading = PolicyReading(origin: origin, content: content)
            } else if !Self.isIncomplete(load) {
                // Somebody took it away; while files cannot be read it may be in one of them and stays as it was.
                reading = nil
            }
        }
    }

    /// Takes up the ConfigMap as an API server has it; nil when it has none.
    package func take(_ map: ConfigMap?) {
        let content = map.map(content)
        reading.withLock { $0 = content.map { PolicyReading(origin: origin, content: $0) } }
    }

    /// Whether the object may be in a file or folder that cannot be read.
    package static func isIncomplete(_ load: ManifestLoad) -> Bool {
        load.problems.contains { $0.severity == .error && $0.object == nil }
    }

    private func content(_ load: ManifestLoad) -> PolicyReading.Content? {
        if let duplicate = load.duplicates.first(where: { $0.key == key }) {
            let places = duplicate.sources.map(\.description).joined(separator: ", ")
            return .unreadable([PolicyProblem(.roles, "\(key) stands in several places: \(places)")])
        }
        guard let loaded = load.objects.first(where: { $0.key == key }) else { return nil }
        guard loaded.isCurrent, case .configMap(let map)? = loaded.object else {
            return .unreadable(loaded.problems.map { PolicyProblem(.roles, "\(key): \($0)") })
        }
        return content(map)
    }

    private func content(_ map: ConfigMap) -> PolicyReading.Content {
        let unknown = Set(map.data.keys).union(map.binaryData.keys).subtracting(Self.documents.map(\.rawValue))
        guard unknown.isEmpty else {
            let names = unknown.sorted().joined(separator: ", ")
            return .unreadable([
                PolicyProblem(.roles, "\(key) has the keys \(names); it may have data.json and routes.yaml")
            ])
        }
        return .texts(PolicyTexts(roles: Self.text(.roles, map), routes: Self.text(.routes, map)))
    }

    private static let documents: [PolicyProblem.Document] = [.roles, .routes]

    private static func text(_ document: PolicyProblem.Document, _ map: ConfigMap) -> [UInt8]? {
        map.data[document.rawValue].map { Array($0.utf8) } ?? map.binaryData[document.rawValue]
    }

    private var origin: PolicyOrigin {
        PolicyOrigin(
            kind: .configMap, location: "\(key.namespace)/\(key.name)",
            readOnlyReason:
                "The policy data comes from ConfigMap \(key.namespace)/\(key.name) \(place): change it there"
        )
    }
}
