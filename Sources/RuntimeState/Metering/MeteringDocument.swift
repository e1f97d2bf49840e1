// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Metering as objects write it: `{action, model, slot, requires, estimate, microCreditsPerRequest}`. Routes carry it in this form, and a
/// sidecar gets it in this form.
package enum MeteringDocument {
    /// What is wrong with a document.
    package struct Fault: Error, Sendable, Hashable {
        /// The member at fault; empty for the document itself.
        package let member: String
        package let message: String

        /// `spec.metering.model: is missing; action tokens needs it`
        ///
        /// - Parameter place: where the document stands.
        package func text(at place: String) -> String {
            member.isEmpty ? "\(place): \(message)" : "\(place).\(member): \(message)"
        }
    }

    /// The largest number that a document may hold: what every JSON reader can represent.
    private static let maximumNumber: Int64 = 1 << 53

    /// Reads a document.
    ///
    /// - Returns: nil where it asks for nothing and charges nothing.
    package static func read(_ document: JSONValue) throws(Fault) -> CompiledMetering? {
        guard let object = document.objectValue else { throw Fault(member: "", message: "must be an object") }
        let action = try choice(object, "action", CompiledMetering.Action.self) ?? .none
        let slot = try choice(object, "slot", CompiledMetering.Slot.self)
        let model = try text(object, "model", in: "")
        let requires = try member(object, "requires")
        let estimate = try member(object, "estimate")
        guard action != .tokens || model != nil else {
            throw Fault(member: "model", message: "is missing; action tokens needs it")
        }
        guard action != .slot || slot != nil else {
            throw Fault(member: "slot", message: "is missing; action slot needs it")
        }
        return CompiledMetering(
            action: action, model: model, slot: slot,
            requirements: CompiledMetering.Requirements(
                plan: try text(requires, "plan", in: "requires."),
                modelTier: try text(requires, "modelTier", in: "requires."),
                premiumAgents: try flag(requires, "premiumAgents", in: "requires.")),
            estimate: TokenEstimate(
                input: try number(estimate, "input", in: "estimate."),
                maxOutput: try number(estimate, "maxOutput", in: "estimate.")),
            microCreditsPerRequest: try number(object, "microCreditsPerRequest", in: ""))
    }

    /// The document of a metering.
    static func write(_ metering: CompiledMetering) -> JSONValue {
        [
            "action": .string(metering.action.rawValue), "model": .optional(metering.model),
            "slot": .optional(metering.slot?.rawValue),
            "requires": [
                "plan": .optional(metering.requirements.plan),
                "modelTier": .optional(metering.requirements.modelTier),
                "premiumAgents": .bool(metering.requirements.premiumAgents),
            ],
            "estimate": [
                "input": .int(metering.estimate.input), "maxOutput": .int(metering.estimate.maxOutput),
            ],
            "microCreditsPerRequest": .int(metering.microCreditsPerRequest),
        ]
    }

    private static func value(_ object: JSONObject, _ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ object: JSONObject, _ name: String, _ type: Value.Type
    ) throws(Fault) -> Value? {
        guard let value = value(object, name) else { return nil }
        guard let choice = value.stringValue.flatMap(Value.init) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw Fault(member: name, message: "must be one of \(known)")
        }
        return choice
    }

    private static func text(_ object: JSONObject, _ name: String, in parent: String) throws(Fault) -> String? {
        guard let value = value(object, name) else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw Fault(member: parent + name, message: "must be a text")
        }
        return text
    }

    private static func flag(_ object: JSONObject, _ name: String, in parent: String) throws(Fault) -> Bool {
        guard let value = value(object, name) else { return false }
        guard let flag = value.boolValue else {
            throw Fault(member: parent + name, message: "must be true or false")
        }
        return flag
    }

    private static func number(_ object: JSONObject, _ name: String, in parent: String) throws(Fault) -> Int64 {
        guard let value = value(object, name) else { return 0 }
        guard let number = value.intValue, (0...maximumNumber).contains(number) else {
            throw Fault(member: parent + name, message: "must be a whole number from 0 to \(maximumNumber)")
        }
        return number
    }

    private static func member(_ object: JSONObject, _ name: String) throws(Fault) -> JSONObject {
        guard let value = value(object, name) else { return [:] }
        guard let member = value.objectValue else { throw Fault(member: name, message: "must be an object") }
        return member
    }
}
