// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport

/// Price lists of tests.
enum Prices {
    static let now = Timestamp(seconds: 1_772_366_400)

    static func shipped() throws -> PriceList { try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML)) }

    /// A list of these models.
    static func read(
        _ models: [JSONValue], unknown: String = "fail", markup: JSONValue = 0,
        agents: JSONValue = ["default": ["perCallMicroUSD": 7, "perStartedHourMicroUSD": 11]]
    ) throws -> PriceList {
        try PriceList.read([
            "version": "7", "markupPercent": markup, "unknownModel": .string(unknown),
            "default": ["input": "2", "output": "3"], "models": .array(models), "agents": agents,
        ])
    }

    /// A model of one provider.
    static func model(
        _ name: String, _ providers: [String] = ["p"], aliases: [String] = [], input: String = "1",
        output: String = "1", from: String? = nil
    ) -> JSONValue {
        var object: JSONObject = [
            "model": .string(name), "aliases": .strings(aliases), "providers": .strings(providers), "tier": "basic",
            "premium": false, "rates": ["input": .string(input), "output": .string(output)],
        ]
        if let from { object["effectiveFrom"] = .string(from) }
        return .object(object)
    }
}

/// Breaks documents.
enum DamagedJSON {
    static func damaged(_ value: JSONValue, _ random: SeededRandom) -> JSONValue {
        let junk: [JSONValue] = [
            .null, -7, 0, "x", "", .double(1.5), .double(.infinity), [], [:], true, .int(.max), .int(.min), "-1",
            "999999999999999999999", .string(String(repeating: "é", count: 300)), "\u{0}",
        ]
        switch value {
        case .object(let object) where !object.isEmpty && random.below(6) > 0:
            var object = object
            let name = object.names[random.below(object.count)]
            object[name] = random.below(8) == 0 ? nil : damaged(object[name] ?? .null, random)
            if random.below(10) == 0 { object["surplus"] = 1 }
            return .object(object)
        case .array(let elements) where !elements.isEmpty && random.below(6) > 0:
            var elements = elements
            let index = random.below(elements.count)
            if random.below(6) == 0 { elements.append(elements[index]) }
            elements[index] = damaged(elements[index], random)
            return .array(elements)
        default: return junk[random.below(junk.count)]
        }
    }
}
