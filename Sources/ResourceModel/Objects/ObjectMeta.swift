// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What is common to all objects.
package struct ObjectMeta: Sendable, Hashable, Codable {
    package var name: String
    package var namespace: String
    /// Counts changes of `spec`; 0 where nobody counts yet.
    package var generation: Int64
    package var labels: [String: String]
    package var annotations: [String: String]
    package var creationTimestamp: TextInstant?
    /// What tells this object from earlier ones of its name; nil where no API server gives one.
    package var uid: String?

    /// Takes the parts.
    package init(
        name: String, namespace: String, generation: Int64 = 0, labels: [String: String] = [:],
        annotations: [String: String] = [:], creationTimestamp: TextInstant? = nil, uid: String? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.generation = generation
        self.labels = labels
        self.annotations = annotations
        self.creationTimestamp = creationTimestamp
        self.uid = uid
    }
}

/// A time that is written as RFC 3339 text in objects.
package struct TextInstant: Sendable, Hashable, Codable {
    /// The instant.
    package let timestamp: Timestamp

    /// Takes the instant.
    package init(_ timestamp: Timestamp) { self.timestamp = timestamp }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let timestamp = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not an RFC 3339 time"))
        }
        self.timestamp = timestamp
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(timestamp.rfc3339)
    }
}

/// A duration that is written as text in objects: `30s`, `5m`, `1h`.
package struct TextDuration: Sendable, Hashable, Codable {
    /// The length.
    package let duration: Duration

    /// Takes the length.
    package init(_ duration: Duration) { self.duration = duration }

    /// Whole seconds.
    package var seconds: Int64 { duration.components.seconds }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard TextPattern.duration.accepts(text), let duration = DurationText.parse(text) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not a duration"))
        }
        self.duration = duration
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("\(seconds)s")
    }
}
