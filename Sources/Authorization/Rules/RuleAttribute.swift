// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a condition looks at.
enum RuleAttribute: Sendable, Hashable {
    case method, path, host, scheme, remoteIP, time
    case header(String)
    case parameter(String)
    case principalID, tenant, project, authSource, platform, roles, scopes
    case claim([String])
    case resourceType, resourceID, resourceOwner, resourceTenant, resourceProject
    case action, toolID

    /// - Returns: nil for a text that names no attribute.
    init?(_ text: String) {
        if let fixed = Self.fixed[text] {
            self = fixed
        } else if let name = Self.rest(of: text, behind: "request.headers."), Self.isHeaderName(name) {
            self = .header(name)
        } else if let name = Self.rest(of: text, behind: "request.query.") {
            self = .parameter(name)
        } else if let path = Self.rest(of: text, behind: "principal.claims.") {
            let names = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard !names.contains("") else { return nil }
            self = .claim(names)
        } else {
            return nil
        }
    }

    private static let fixed: [String: RuleAttribute] = [
        "request.method": .method, "request.path": .path, "request.host": .host, "request.scheme": .scheme,
        "request.remoteIp": .remoteIP, "request.time": .time, "principal.id": .principalID,
        "principal.tenant": .tenant, "principal.project": .project, "principal.auth_source": .authSource,
        "principal.platform": .platform, "principal.roles": .roles, "principal.scopes": .scopes,
        "resource.type": .resourceType, "resource.id": .resourceID, "resource.owner": .resourceOwner,
        "resource.tenant": .resourceTenant, "resource.project": .resourceProject, "action": .action,
        "tool.id": .toolID,
    ]

    private static func rest(of text: String, behind prefix: String) -> String? {
        guard text.hasPrefix(prefix), text.utf8.count > prefix.utf8.count else { return nil }
        return String(text.dropFirst(prefix.count))
    }

    private static func isHeaderName(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    /// What is there to compare; nil when the attribute is missing. A list stands for its elements.
    func value(_ question: PolicyQuestion) -> JSONValue? {
        let subject = question.subject
        let resource = question.resource
        switch self {
        case .principalID: return Self.text(subject.id.isEmpty || subject.isAnonymous ? nil : subject.id)
        case .tenant: return Self.text(subject.tenant)
        case .project: return Self.text(subject.project)
        case .authSource: return .string(subject.authSource)
        case .platform: return .bool(subject.platform)
        case .roles: return question.effectiveRoles.isEmpty ? nil : .strings(question.effectiveRoles)
        case .scopes: return subject.scopes.isEmpty && !subject.scoped ? nil : .strings(subject.scopes)
        case .resourceType: return Self.text(question.resourceType)
        case .resourceID: return Self.text(resource.id)
        case .resourceOwner: return Self.text(resource.owner)
        case .resourceTenant: return Self.text(resource.tenant)
        case .resourceProject: return Self.text(resource.project)
        case .action: return Self.text(question.action)
        case .time: return .string(question.query.now.rfc3339Micros)
        default: return question.query.facts.flatMap(value)
        }
    }

    private func value(_ facts: RuleFacts) -> JSONValue? {
        switch self {
        case .method: return .string(facts.method)
        case .path: return .string(facts.path)
        case .host: return .string(facts.host)
        case .scheme: return .string(facts.scheme)
        case .remoteIP: return Self.text(facts.remoteIP?.description)
        case .header(let name): return Self.texts(facts.headers.all(name))
        case .parameter(let name): return Self.texts(facts.queryValues(name))
        case .claim(let names):
            var value: JSONValue? = .object(facts.claims)
            for name in names { value = value?[name] }
            return value == .null ? nil : value
        case .toolID: return Self.text(facts.toolID)
        default: return nil
        }
    }

    private static func text(_ text: String?) -> JSONValue? { text.map(JSONValue.string) }

    /// One value is itself, several are a list.
    private static func texts(_ texts: [String]) -> JSONValue? {
        texts.count > 1 ? .strings(texts) : text(texts.first)
    }
}
