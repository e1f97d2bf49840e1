// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What this installation lets tools have at the most.
package struct ToolRules: Sendable, Hashable {
    /// What no policy exceeds.
    package var maximum: ToolLimits
    /// Absolute paths under which the paths of `allowed_resources` must lie.
    package var allowedPaths: [String]
    /// Absolute paths under which those for writing must lie.
    package var writablePaths: [String]
    /// Tollgate's own directories: never visible.
    package var ownPaths: [String]

    /// Where paths may lie unless the settings say otherwise.
    package static let defaultAllowedPaths = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ssl/certs"]

    /// Takes the parts.
    package init(
        maximum: ToolLimits = .installation, allowedPaths: [String] = ToolRules.defaultAllowedPaths,
        writablePaths: [String] = [], ownPaths: [String] = []
    ) {
        self.maximum = maximum
        self.allowedPaths = allowedPaths
        self.writablePaths = writablePaths
        self.ownPaths = ownPaths
    }

    /// The column of a policy, never above the maximum of the installation.
    package func column(_ policy: ToolPolicy) -> ToolLimits {
        let column: ToolLimits =
            switch policy {
            case .standard: .standard
            case .restricted: .restricted
            case .custom: maximum
            }
        return ToolLimits(
            memoryMB: min(column.memoryMB, maximum.memoryMB), cpuSeconds: min(column.cpuSeconds, maximum.cpuSeconds),
            timeoutSeconds: min(column.timeoutSeconds, maximum.timeoutSeconds),
            outputBytes: min(column.outputBytes, maximum.outputBytes))
    }

    /// Why the limits of a manifest are too wide; nil when they are not.
    package func refusal(_ manifest: ToolManifest) -> Refusal? {
        let column = column(manifest.policy)
        let numbers: [(String, Int64, Int64)] = [
            ("max_memory_mb", manifest.memoryMB, column.memoryMB),
            ("max_cpu_seconds", manifest.cpuSeconds, column.cpuSeconds),
            ("timeout_seconds", manifest.timeoutSeconds ?? 0, column.timeoutSeconds),
            ("max_output_bytes", manifest.outputBytes ?? 0, column.outputBytes),
        ]
        for (field, asked, most) in numbers where asked > most {
            return Self.refusal(
                field, "\(field) is \(asked): policy \(manifest.policy.rawValue) allows at most \(most) here")
        }
        if manifest.networkAllowed, manifest.policy == .restricted {
            return Self.refusal("network_allowed", "network_allowed is true: policy restricted never allows it")
        }
        for (index, resource) in manifest.resources.enumerated() {
            guard case .path(let path, let isWritable) = resource else { continue }
            if let problem = problem(path, isWritable: isWritable) {
                return Self.refusal("allowed_resources", "allowed_resources entry \(index) \(problem)")
            }
        }
        return nil
    }

    private func problem(_ path: String, isWritable: Bool) -> String? {
        guard let segments = ToolPath.segments(path) else { return "is no absolute path" }
        let allowed = (isWritable ? writablePaths : allowedPaths).compactMap(ToolPath.segments)
        guard allowed.contains(where: { ToolPath.isUnder(segments, $0) }) else {
            return isWritable
                ? "is for writing and not under TOLLGATE_TOOLS_WRITABLE_PATHS"
                : "is not under TOLLGATE_TOOLS_ALLOWED_PATHS"
        }
        let isCertificateStore = ToolPath.isUnder(segments, ["etc", "ssl", "certs"]) && !isWritable
        let hidden = (Self.hiddenPaths + ownPaths).compactMap(ToolPath.segments)
        let meets = hidden.contains { ToolPath.isUnder(segments, $0) || ToolPath.isUnder($0, segments) }
        return meets && !isCertificateStore ? "holds or is a path that is never visible to tools" : nil
    }

    /// Never visible, whatever the settings say. The certificate store below `/etc` is the one exception.
    private static let hiddenPaths = [
        "/proc", "/sys", "/dev", "/etc", "/root", "/home", "/var/run/secrets", "/run/secrets",
    ]

    private static func refusal(_ field: String, _ message: String) -> Refusal {
        Refusal(.toolsLimitsExceeded, message: message, details: ["field": .string(field)])
    }
}
