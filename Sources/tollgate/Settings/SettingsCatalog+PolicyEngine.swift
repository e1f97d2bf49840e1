// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// MARK: - Policy engine outside of the process

extension SettingsCatalog {
    /// In the order of the table.
    static let policyEngine: [SettingInfo] = [
        opaLocalMode.info, opaURL.info, opaPath.info, opaTimeout.info, opaCacheTTL.info, opaFailOpen.info,
    ]

    static let opaLocalMode = Setting(
        "OPA_LOCAL_MODE", .flag, defaultNote: "true unless OPA_URL is set", in: .policy,
        "Decides in the process; wins over OPA_URL. false asks the policy engine at OPA_URL.")
    static let opaURL = Setting(
        "OPA_URL", .webAddress, defaultNote: "http://localhost:8181 where OPA_LOCAL_MODE is false", in: .policy,
        "Where Open Policy Agent listens; plain http to another host than this one is named in the start-up log.")
    static let opaPath = Setting(
        "OPA_AUTHZ_PATH", .opaPath, default: "v1/data/tollgate/decision", in: .policy,
        "Path of the answer below OPA_URL: a decision, or a boolean, which replaces the role check only.")
    static let opaTimeout = Setting(
        "OPA_TIMEOUT", .seconds(.milliseconds(1)...(.seconds(60)), shown: "1ms to 60s"), default: "2s", in: .policy,
        "How long a call may take; never more than TOLLGATE_DECISION_TIMEOUT leaves. A bare number is seconds.")
    static let opaCacheTTL = Setting(
        "OPA_CACHE_TTL", .seconds(.zero...(.seconds(3600)), shown: "0 to 1h"), default: "5s", in: .policy,
        "How long an answer is used again, at most until the credential ends; 0 = not at all.")
    static let opaFailOpen = Setting(
        "OPA_FAIL_OPEN", .flag, default: "false", in: .policy,
        "Lets workload requests pass the role check while the engine is away. Unsafe; named in the start-up log when on."
    )
}

extension SettingFormat where Value == Duration {
    /// A duration as `duration` reads it, or a bare number of seconds.
    static func seconds(_ range: ClosedRange<Duration>, shown: String) -> SettingFormat {
        SettingFormat("duration", expected: "a duration such as 500ms or 2s, or a number of seconds, \(shown)") {
            text in
            guard let duration = DurationText.parse(ASCII.trimmed(text), plainSeconds: true), range.contains(duration)
            else { return nil }
            return duration
        }
    }
}

extension SettingFormat where Value == String {
    /// The path of a document of a policy engine, without slashes around it.
    static var opaPath: SettingFormat {
        SettingFormat("path", expected: "a path such as v1/data/tollgate/decision, of [A-Za-z0-9._~-] and slashes") {
            text in
            var path = Substring(ASCII.trimmed(text))
            if path.hasPrefix("/") { path.removeFirst() }
            let segments = path.split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = segments.allSatisfy { segment in
                !segment.isEmpty && segment != "." && segment != ".."
                    && segment.utf8.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
                        default: false
                        }
                    }
            }
            return isPlain && path.utf8.count <= 1024 ? String(path) : nil
        }
    }
}
