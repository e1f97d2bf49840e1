// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// Documents whose members are called as those of real objects, with any value anywhere.
struct DocumentFuzz {
    private static let names = [
        "metadata", "name", "status", "spec", "conditions", "type", "containerStatuses", "initContainerStatuses",
        "restartCount", "state", "waiting", "reason", "phase", "containers", "resources", "requests", "cpu", "selector",
        "matchLabels", "matchExpressions", "operator", "values", "replicas", "annotations", "creationTimestamp",
        "deletionTimestamp", "tollgate.dev/heal", "evictions", "restarts", "template", "kind", "apiVersion",
    ]
    private static let texts = [
        "", "a", "Ready", "True", "False", "Failed", "Pending", "CrashLoopBackOff", "2026-02-13T12:00:00Z", "250m",
        "0.5",
        "99999999999999999999", "In", "Deployment", "apps/v1", "\\u{0}",
    ]

    private let random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    func document() -> JSONValue { object(depth: 0) }

    private func object(depth: Int) -> JSONValue {
        var object = JSONObject()
        for _ in 0..<random.below(8) { object[pick(Self.names)] = value(depth: depth + 1) }
        if depth == 0 { object["metadata"] = ["name": "a"] }
        return .object(object)
    }

    private func value(depth: Int) -> JSONValue {
        switch random.below(depth > 5 ? 5 : 8) {
        case 0: return .null
        case 1: return .int(Int64(bitPattern: random.next()))
        case 2: return .bool(random.below(2) == 0)
        case 3, 4: return .string(pick(Self.texts))
        case 5: return .array((0..<random.below(4)).map { _ in value(depth: depth + 1) })
        default: return object(depth: depth)
        }
    }

    private func pick(_ words: [String]) -> String { words[random.below(words.count)] }
}
