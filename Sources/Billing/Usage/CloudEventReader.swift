// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Reads events of CloudEvents 1.0 in every mode of its HTTP binding: structured, a batch, plain JSON of either shape, and binary with
/// `ce-` headers.
package enum CloudEventReader {
    /// Most events of one call.
    package static let maximumEvents = 1000
    /// Most bytes of a body.
    package static let maximumBodyBytes = 1 << 20
    /// Most bytes of one event.
    package static let maximumEventBytes = 64 << 10
    private static let maximumDepth = 16

    /// The events of a call, in order.
    ///
    /// - Parameters:
    ///   - headers: of the request.
    ///   - body: at most `maximumBodyBytes`.
    /// - Throws: `request.malformed` where it cannot be read; `request.too_large` where there is too much of it, with the bound, and with
    ///   the `index` of an event that is too large.
    package static func read(headers: HeaderList, body: [UInt8]) throws(Refusal) -> CloudEventBatch {
        guard body.count <= maximumBodyBytes else { throw tooLarge("limit_bytes", maximumBodyBytes) }
        let attributes = headers.fields.filter { $0.name.hasPrefix("ce-") }
        let media = headers.first("content-type") ?? ""
        let type = ASCII.lowercased(ASCII.trimmed(media.prefix { $0 != ";" }))
        switch type {
        case "application/cloudevents+json": return try one(body)
        case "application/cloudevents-batch+json": return try list(body)
        case let other where other.hasPrefix("application/cloudevents"):
            throw Refusal(
                .requestMalformed, message: "Events are read as JSON, not as \(BoundedText.cut(other, bytes: 64))")
        default:
            guard type.isEmpty || isJSON(type) else {
                throw Refusal(
                    .requestMalformed,
                    message: "The content type must be application/cloudevents+json, "
                        + "application/cloudevents-batch+json or application/json")
            }
            guard attributes.isEmpty else { return try binary(attributes, body) }
            return body.first { !ASCII.isWhiteSpace($0) } == UInt8(ascii: "[") ? try list(body) : try one(body)
        }
    }

    // MARK: Modes

    private static func one(_ body: [UInt8]) throws(Refusal) -> CloudEventBatch {
        guard body.count <= maximumEventBytes else { throw tooLarge("limit_event_bytes", maximumEventBytes, index: 0) }
        guard case .object(let members) = try parse(body) else {
            throw Refusal(.requestMalformed, message: "An event must be a JSON object")
        }
        return CloudEventBatch(events: [CloudEvent(members: members)], isSingle: true)
    }

    private static func list(_ body: [UInt8]) throws(Refusal) -> CloudEventBatch {
        guard case .array(let elements) = try parse(body) else {
            throw Refusal(.requestMalformed, message: "A batch of events must be a JSON list")
        }
        guard elements.count <= maximumEvents else { throw tooLarge("limit_events", maximumEvents) }
        // A body that is smaller than what one event may have needs no look at each.
        if body.count > maximumEventBytes {
            for (index, length) in ElementLengths.of(body).enumerated() where length > maximumEventBytes {
                throw tooLarge("limit_event_bytes", maximumEventBytes, index: index)
            }
        }
        var events: [CloudEvent] = []
        events.reserveCapacity(elements.count)
        // What is no object is an event without members: it is refused, the others are not.
        for element in elements { events.append(CloudEvent(members: element.objectValue ?? JSONObject())) }
        return CloudEventBatch(events: events, isSingle: false)
    }

    private static func binary(
        _ attributes: [HeaderList.Field], _ body: [UInt8]
    ) throws(Refusal) -> CloudEventBatch {
        guard body.count <= maximumEventBytes else { throw tooLarge("limit_event_bytes", maximumEventBytes, index: 0) }
        var members = JSONObject()
        for attribute in attributes {
            let name = String(attribute.name.dropFirst(3))
            guard members[name] == nil, let value = PercentText.decode(attribute.value) else {
                throw Refusal(
                    .requestMalformed, message: "A header is not readable, or came twice",
                    details: ["header": .string(attribute.name)])
            }
            members[name] = .string(value)
        }
        // In this mode `data` is the body, whatever headers there are.
        members["data_base64"] = nil
        members["data"] = body.isEmpty ? .none : .some(try parse(body))
        return CloudEventBatch(events: [CloudEvent(members: members)], isSingle: true)
    }

    private static func parse(_ body: [UInt8]) throws(Refusal) -> JSONValue {
        do {
            return try JSONParser.parse(body, limits: .init(depth: maximumDepth))
        } catch {
            throw Refusal(
                .requestMalformed, message: "The body is not JSON",
                details: ["reason": .string(error.code.rawValue), "offset": .int(Int64(error.offset))])
        }
    }

    private static func isJSON(_ type: String) -> Bool {
        type == "application/json" || type == "text/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }

    private static func tooLarge(_ name: String, _ limit: Int, index: Int? = nil) -> Refusal {
        var details: JSONObject = [name: .int(Int64(limit))]
        if let index { details["index"] = .int(Int64(index)) }
        return Refusal(.requestTooLarge, details: details)
    }
}
