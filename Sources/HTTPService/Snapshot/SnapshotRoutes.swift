// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPTypes
package import Pipeline
package import RuntimeState

/// `GET /v1/snapshot`: what a sidecar decides from.
package struct SnapshotRoutes: OwnAPIModule {
    /// AuthConfigs in one question.
    private static let mostAuthConfigs = 16

    private let desk: SnapshotDesk
    private let decider: any RequestDeciding

    /// - Parameter decider: asked once more whether the caller may, before anything is given after a wait.
    package init(desk: SnapshotDesk, decider: any RequestDeciding) {
        self.desk = desk
        self.decider = decider
    }

    package var routes: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/snapshot", .read) { call throws(Refusal) in
                let names = try Self.names(call)
                let scope = try Self.scope(call.caller)
                let given = try await desk.answer(for: names, scope: scope, tags: try Self.tags(call)) {
                    () throws(Refusal) in
                    switch await decider.admit(call.exchange.ownRequest) {
                    case .refused(let refusal, _, _, _, _): throw refusal
                    case .allowed(let caller):
                        // The same credential for another tenant is another caller.
                        guard try Self.scope(caller) == scope else { throw Refusal(.policyTenantDenied) }
                    }
                }
                return Self.answer(given, names: names)
            }
        ]
    }

    private static func answer(_ given: SnapshotAnswer, names: [String]) -> OwnAnswer {
        var answer = OwnAnswer()
        answer.fields[.cacheControl] = "private, no-cache"
        switch given {
        case .document(let document):
            answer.text = (document.bytes, "application/json")
            answer.fields[.eTag] = document.entityTag
            answer.auditMetadata["auth_configs"] = .strings(names)
        case .unchanged(let entityTag, let isClosing):
            answer.status = 304
            answer.fields[.eTag] = entityTag
            answer.isRecorded = false
            if isClosing { answer.fields[.connection] = "close" }
        }
        return answer
    }

    /// Those who belong to no tenant but to the platform may know everything; everybody else what is their own tenant's.
    ///
    /// - Throws: `policy.tenant_denied` for who belongs to neither.
    static func scope(_ caller: OwnCaller) throws(Refusal) -> SnapshotScope {
        if caller.admin { return .installation }
        if let tenant = caller.principal.tenantID { return .tenant(tenant) }
        guard caller.principal.platform else {
            throw Refusal(.policyTenantDenied, message: "The credential belongs to no tenant")
        }
        return .installation
    }

    /// `auth_config`: `namespace/name`, or several with commas between them.
    private static func names(_ call: OwnCall) throws(Refusal) -> [String] {
        let query = try call.query.object(known: ["auth_config"])
        var reader = FieldReader()
        let names = (query["auth_config"]?.stringValue ?? "").split(separator: ",").map { ASCII.trimmed($0) }
        if names.isEmpty { reader.fault("auth_config", "required: namespace/name of an AuthConfig") }
        if names.count > mostAuthConfigs { reader.fault("auth_config", "more than \(mostAuthConfigs) AuthConfigs") }
        if let bad = names.first(where: { !isName($0) }) {
            reader.fault("auth_config", "'\(bad.prefix(64))' is not namespace/name")
        }
        try reader.finish()
        return names
    }

    private static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...63).contains(parts[0].utf8.count), (1...253).contains(parts[1].utf8.count) else {
            return false
        }
        return parts.allSatisfy { part in
            part.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
        }
    }

    /// The entity tags of `If-None-Match`; a weak one is as good as a strong one here. Empty without the header.
    private static func tags(_ call: OwnCall) throws(Refusal) -> Set<String> {
        switch call.exchange.headers.lookup("if-none-match") {
        case .absent: return []
        case .several: throw Refusal(.requestDuplicateHeader, details: ["header": "if-none-match"])
        case .one(let text):
            return Set(
                text.split(separator: ",").prefix(16).map { part in
                    let tag = ASCII.trimmed(part)
                    return tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
                })
        }
    }
}
