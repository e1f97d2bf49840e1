// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The body of a webhook call of Alertmanager, version 4.
///
/// Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
package struct AlertPayload: Sendable, Hashable {
    /// The most bytes of a body.
    package static let maximumBytes = 1 << 20
    /// The most alerts in a body.
    package static let maximumAlerts = 1000
    private static let maximumLabels = 128
    private static let maximumNameBytes = 256
    private static let maximumValueBytes = 4096

    package var receiver: String?
    package var groupKey: String?
    /// How many alerts Alertmanager left out.
    package var truncated: Int64
    package var alerts: [Alert]

    /// Takes the parts.
    package init(receiver: String? = nil, groupKey: String? = nil, truncated: Int64 = 0, alerts: [Alert]) {
        self.receiver = receiver
        self.groupKey = groupKey
        self.truncated = truncated
        self.alerts = alerts
    }

    /// Reads a body. Members that are not known are left alone: another program writes them.
    ///
    /// - Throws: `healing.bad_payload` naming the field.
    package static func read(_ body: [UInt8]) throws(Refusal) -> AlertPayload {
        guard body.count <= maximumBytes else { throw bad("body", "has more than \(maximumBytes) bytes") }
        let value: JSONValue
        do {
            value = try JSONParser.parse(body, limits: .init(depth: 16))
        } catch {
            throw bad("body", "is not JSON (\(error))")
        }
        return try read(value)
    }

    /// Reads a parsed body.
    ///
    /// - Throws: `healing.bad_payload` naming the field.
    package static func read(_ value: JSONValue) throws(Refusal) -> AlertPayload {
        guard let object = value.objectValue else { throw bad("body", "is not an object") }
        guard let version = object["version"]?.stringValue else { throw bad("version", "is missing or not a text") }
        guard version == "4" else { throw bad("version", "is not 4: only that version is understood") }
        guard object["status"]?.stringValue != nil else { throw bad("status", "is missing or not a text") }
        guard let list = object["alerts"]?.arrayValue else { throw bad("alerts", "is missing or not a list") }
        guard list.count <= maximumAlerts else { throw bad("alerts", "has more than \(maximumAlerts) elements") }
        var alerts: [Alert] = []
        alerts.reserveCapacity(list.count)
        for (index, element) in list.enumerated() { alerts.append(try alert(element, "alerts[\(index)]")) }
        return AlertPayload(
            receiver: shortText(object["receiver"]), groupKey: shortText(object["groupKey"]),
            truncated: max(0, object["truncatedAlerts"]?.intValue ?? 0), alerts: alerts)
    }

    private static func alert(_ value: JSONValue, _ path: String) throws(Refusal) -> Alert {
        guard let object = value.objectValue else { throw bad(path, "is not an object") }
        guard let status = object["status"]?.stringValue, status.utf8.count <= 64 else {
            throw bad("\(path).status", "is missing or not a short text")
        }
        guard let labels = try texts(object["labels"], "\(path).labels") else {
            throw bad("\(path).labels", "is missing")
        }
        guard let name = labels["alertname"], (1...maximumNameBytes).contains(name.utf8.count) else {
            throw bad("\(path).labels.alertname", "is missing or not of 1 to \(maximumNameBytes) bytes")
        }
        let annotations = try optIn(object["annotations"], "\(path).annotations")
        return Alert(
            status: status, labels: labels, isOptedIn: annotations || says(labels["autoheal"]),
            startsAt: try mark(object["startsAt"], "\(path).startsAt") ?? "",
            fingerprint: try mark(object["fingerprint"], "\(path).fingerprint"))
    }

    /// Annotations are for people and may be long: only one of them counts here.
    private static func optIn(_ value: JSONValue?, _ path: String) throws(Refusal) -> Bool {
        switch value {
        case .none, .null: return false
        case .object(let object): return says(object["autoheal"]?.stringValue)
        case .some: throw bad(path, "is not an object")
        }
    }

    private static func says(_ text: String?) -> Bool { text.map { ASCII.lowercased($0) == "true" } ?? false }

    private static func texts(_ value: JSONValue?, _ path: String) throws(Refusal) -> [String: String]? {
        guard let value, !value.isNull else { return nil }
        guard let object = value.objectValue else { throw bad(path, "is not an object") }
        guard object.count <= maximumLabels else { throw bad(path, "has more than \(maximumLabels) members") }
        var texts: [String: String] = [:]
        for member in object.members {
            guard (1...maximumNameBytes).contains(member.name.utf8.count) else {
                throw bad(path, "has a name that is not of 1 to \(maximumNameBytes) bytes")
            }
            guard let text = member.value.stringValue, text.utf8.count <= maximumValueBytes else {
                throw bad("\(path).\(member.name)", "is not a text of at most \(maximumValueBytes) bytes")
            }
            texts[member.name] = text
        }
        return texts
    }

    /// A short text that names something; nil where it is missing or empty.
    private static func mark(_ value: JSONValue?, _ path: String) throws(Refusal) -> String? {
        switch value {
        case .none, .null: return nil
        case .string(let text) where text.utf8.count <= 128: return text.isEmpty ? nil : text
        case .some: throw bad(path, "is not a text of at most 128 bytes")
        }
    }

    private static func shortText(_ value: JSONValue?) -> String? {
        value?.stringValue.map { BoundedText.cut($0, bytes: 256) }
    }

    private static func bad(_ field: String, _ reason: String) -> Refusal {
        let field = BoundedText.cut(field, bytes: 320)
        return Refusal(
            .healingBadPayload, message: "\(field) \(reason)",
            details: ["field": .string(field), "reason": .string(reason)])
    }
}
