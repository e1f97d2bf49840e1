// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is to be silenced, for how long and why.
package struct AckRequest: Sendable, Hashable {
    /// The comment of whoever gives none.
    package static let defaultComment = "Acknowledged in Tollgate"
    /// The duration of whoever gives none.
    package static let defaultDuration = "30m"

    package var labels: [String: String]
    /// As given.
    package var duration: String
    package var seconds: Int64
    package var comment: String

    /// Reads the parts.
    ///
    /// - Throws: `request.malformed` for an unknown member, `request.invalid` naming a bad one, `healing.bad_duration`,
    ///   `healing.duration_too_long`.
    package static func read(_ object: JSONObject, maximumSeconds: Int64) throws(Refusal) -> AckRequest {
        let unknown = object.names.filter { !["labels", "duration", "comment"].contains($0) }
        guard unknown.isEmpty else {
            throw Refusal(
                .requestMalformed, message: "Unknown member: \(unknown.prefix(8).joined(separator: ", "))",
                details: ["unknown": .strings(unknown.prefix(8))])
        }
        let labels = try labels(object["labels"])
        let duration = try text(object["duration"], "duration") ?? defaultDuration
        let comment = try text(object["comment"], "comment") ?? defaultComment
        guard comment.utf8.count <= 512 else { throw invalid("comment", "more than 512 bytes") }
        return AckRequest(
            labels: labels, duration: duration,
            seconds: try AckDuration.seconds(duration, atMost: maximumSeconds),
            comment: comment.isEmpty ? defaultComment : comment)
    }

    private static func labels(_ value: JSONValue?) throws(Refusal) -> [String: String] {
        guard let object = value?.objectValue else {
            throw invalid("labels", value == nil ? "required" : "not an object")
        }
        guard (1...32).contains(object.count) else {
            throw invalid("labels", "1 to 32 are needed: none at all would silence everything")
        }
        var labels: [String: String] = [:]
        for member in object.members {
            guard (1...256).contains(member.name.utf8.count), let text = member.value.stringValue,
                (1...4096).contains(text.utf8.count)
            else {
                throw invalid(
                    "labels.\(BoundedText.cut(member.name, bytes: 256))",
                    "a name of 1 to 256 bytes and a text of 1 to 4096 bytes are needed")
            }
            labels[member.name] = text
        }
        return labels
    }

    private static func text(_ value: JSONValue?, _ name: String) throws(Refusal) -> String? {
        switch value {
        case .none, .null: return nil
        case .string(let text): return text
        case .some: throw invalid(name, "not a text")
        }
    }

    private static func invalid(_ field: String, _ reason: String) -> Refusal {
        Refusal(
            .requestInvalid, message: "\(field): \(reason)",
            details: ["fields": .array([["field": .string(field), "reason": .string(reason)]])])
    }

    /// The body of `POST /api/v2/silences`.
    package func silence(createdBy: String, at now: Timestamp) -> JSONObject {
        [
            "matchers": .array(
                ASCII.sortedByBytes(labels.keys).map { name in
                    [
                        "name": .string(name), "value": .string(labels[name] ?? ""), "isRegex": false,
                        "isEqual": true,
                    ]
                }),
            "startsAt": .string(now.rfc3339), "endsAt": .string(endsAt(from: now).rfc3339),
            "createdBy": .string(createdBy), "comment": .string(comment),
        ]
    }

    /// When the silence ends.
    package func endsAt(from now: Timestamp) -> Timestamp { now.cutToSecond.adding(seconds: seconds) }

    /// The labels as JSON, sorted by name.
    package var labelsJSON: JSONObject {
        JSONObject(ASCII.sortedByBytes(labels.keys).map { ($0, .string(labels[$0] ?? "")) })
    }
}
