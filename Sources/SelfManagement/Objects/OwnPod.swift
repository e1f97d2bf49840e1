// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One of the own pods, as far as its health is concerned.
///
/// Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/#pod-v1-core
package struct OwnPod: Sendable, Hashable {
    /// With which value of it a pod is never touched.
    package static let healAnnotation = "tollgate.dev/heal"

    package let name: String
    package let uid: String
    package let phase: String
    /// `status.reason`: `Evicted` where the kubelet threw it out.
    package let statusReason: String
    package let createdAt: Timestamp?
    package let startedAt: Timestamp?
    /// By when it should be gone.
    package let deletionAt: Timestamp?
    package let isReady: Bool
    /// When Ready was lost; nil where it is not, or there is no such condition.
    package let readyLostAt: Timestamp?
    package let isUnschedulable: Bool
    /// For what containers wait, those of the start too.
    package let waitingFor: [String]
    /// Of the main containers, added up.
    package let restarts: Int
    package let address: String?
    /// Whether its owner wants it left alone.
    package let isLeftAlone: Bool
    /// What its containers ask for, in thousandths of a processor; nil when one of them asks for nothing.
    package let processorMillis: Int?

    /// Reads a Pod; what is missing counts as empty. Nil when it has no name.
    package init?(_ document: JSONValue) {
        guard let metadata = document["metadata"], let name = metadata["name"]?.stringValue else { return nil }
        let status = document["status"]
        self.name = name
        uid = metadata["uid"]?.stringValue ?? ""
        phase = status?["phase"]?.stringValue ?? ""
        statusReason = status?["reason"]?.stringValue ?? ""
        createdAt = metadata["creationTimestamp"]?.timestampValue
        startedAt = status?["startTime"]?.timestampValue
        deletionAt = metadata["deletionTimestamp"]?.timestampValue
        isLeftAlone = metadata["annotations"]?[Self.healAnnotation]?.stringValue == "false"
        address = status?["podIP"]?.stringValue
        let conditions = status?["conditions"]?.arrayValue ?? []
        let ready = conditions.first { $0["type"] == "Ready" }
        isReady = ready?["status"] == "True"
        readyLostAt = isReady ? nil : ready?["lastTransitionTime"]?.timestampValue
        isUnschedulable = conditions.contains {
            $0["type"] == "PodScheduled" && $0["status"] == "False" && $0["reason"] == "Unschedulable"
        }
        let main = status?["containerStatuses"]?.arrayValue ?? []
        let all = (status?["initContainerStatuses"]?.arrayValue ?? []) + main
        waitingFor = all.compactMap { $0.at("state", "waiting", "reason")?.stringValue }
        restarts = Int(clamping: main.reduce(Int64(0)) { $0.addingSaturated($1["restartCount"]?.intValue ?? 0) })
        processorMillis = Self.processor(document.at("spec", "containers")?.arrayValue ?? [])
    }

    private static func processor(_ containers: [JSONValue]) -> Int? {
        var sum = 0
        for container in containers {
            guard let text = container.at("resources", "requests", "cpu"), let millis = ProcessorQuantity.millis(text)
            else { return nil }
            sum += millis
        }
        return containers.isEmpty || sum == 0 ? nil : sum
    }
}

/// Quantities of processors: `2`, `0.5`, `250m`.
package enum ProcessorQuantity {
    /// Thousandths of a processor, rounded up; nil for another text.
    package static func millis(_ value: JSONValue) -> Int? {
        if let number = value.intValue { return number >= 0 && number <= 1_000_000 ? Int(number) * 1000 : nil }
        guard let text = value.stringValue, (1...16).contains(text.utf8.count) else { return nil }
        if text.hasSuffix("m") {
            let digits = text.dropLast()
            return digits.utf8.allSatisfy(isDigit) ? Int(digits) : nil
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }),
            let whole = Int(parts[0]), whole <= 1_000_000
        else { return nil }
        guard parts.count == 2 else { return whole * 1000 }
        let kept = parts[1].prefix(3)
        guard var fraction = Int(kept) else { return nil }
        for _ in kept.utf8.count..<3 { fraction *= 10 }
        let isMore = parts[1].dropFirst(3).utf8.contains { $0 != UInt8(ascii: "0") }
        return whole * 1000 + fraction + (isMore ? 1 : 0)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
