// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import ToolTrust

/// Keys for tool manifests out of the Secrets of the own namespace.
struct ToolKeySecrets {
    /// The label that makes a Secret one of keys.
    static let label = "tollgate.dev/tool-keys"

    private(set) var records: [ToolKeyRecord] = []
    /// What was left out and why, in order; no part of a value is in it.
    private(set) var problems: [String] = []
    /// In which Secrets a key id stands.
    private(set) var places: [String: Set<ObjectKey>] = [:]

    /// - Parameter needsLabel: whether a Secret must carry `tollgate.dev/managed` as well, as in a cluster.
    init(_ inputs: [CompilerInput], namespace: String, needsLabel: Bool) {
        let secrets = inputs.compactMap { input -> Secret? in
            guard case .secret(let secret)? = input.object, input.key.namespace == namespace else { return nil }
            let labels = secret.metadata.labels
            guard labels[Self.label] == "true" else { return nil }
            return !needsLabel || labels["tollgate.dev/managed"] == "true" ? secret : nil
        }
        for secret in secrets.sorted(by: { $0.key < $1.key }) {
            for (id, value) in secret.data.sorted(by: { $0.key < $1.key }) {
                let place = "Secret \(secret.key.namespace)/\(secret.key.name) key \(BoundedText.cut(id, bytes: 64))"
                take(id, value.revealed, of: secret.key, place: place)
            }
        }
    }

    private mutating func take(_ id: String, _ bytes: [UInt8], of secret: ObjectKey, place: String) {
        do throws(ToolKeyRecord.Fault) {
            let record = try ToolKeyRecord(text: bytes, named: id)
            if let time = record.unreadableTime { problems.append("\(place): its \(time) is no RFC 3339 time") }
            records.append(record)
            places[record.keyID, default: []].insert(secret)
        } catch {
            problems.append("\(place): \(error)")
        }
    }
}
