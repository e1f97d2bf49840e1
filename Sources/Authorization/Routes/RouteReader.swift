// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads a route list and collects every problem on the way.
struct RouteReader {
    private(set) var problems: [RouteProblem] = []
    private(set) var rules: [RouteRule] = []
    private(set) var patterns: [RoutePattern] = []
    private(set) var methods = MethodTable()
    private let source: RouteTable.Source

    private static let members: Set<String> = [
        "methods", "path", "permission", "public", "authenticated", "type", "platform", "ownership", "signed", "audit",
    ]

    init(source: RouteTable.Source) { self.source = source }

    mutating func read(_ document: JSONValue) {
        var list = document.arrayValue
        if let object = document.objectValue {
            for name in object.names where name != "version" && name != "rules" {
                report(nil, name, "is not a member of a route table")
            }
            if object["version"] != .int(1) { report(nil, "version", "must be 1") }
            list = object["rules"]?.arrayValue
        }
        guard let list else {
            report(nil, "rules", "must be a list")
            return
        }
        guard list.count <= source.maximumRules else {
            report(nil, "rules", "has more than \(source.maximumRules) rules")
            return
        }
        for (index, value) in list.enumerated() { readRule(index, value) }
    }

    private mutating func report(_ index: Int?, _ member: String, _ message: String) {
        problems.append(RouteProblem(index: index, member: member, message: message))
    }

    private mutating func readRule(_ index: Int, _ value: JSONValue) {
        guard let object = value.objectValue else {
            report(index, "", "must be an object")
            return
        }
        for name in object.names where !Self.members.contains(name) {
            if name == "metering", source == .authConfig {
                if object["public"] == .bool(true) { report(index, name, "cannot stand with public") }
            } else {
                report(index, name, "is not a member of a rule")
            }
        }
        let count = problems.count
        let names = methodNames(index, object["methods"])
        let path = text(index, object, "path") ?? ""
        var pattern: RoutePattern?
        do throws(RoutePattern.Fault) {
            pattern = try RoutePattern(path)
        } catch {
            report(index, "path", error.message)
        }
        let access = access(index, object)
        let ownership = text(index, object, "ownership")
        if let ownership, ownership != "required" { report(index, "ownership", "can only be required") }
        let rule = RouteRule(
            index: index, methods: names, path: path, access: access ?? .authenticated,
            type: text(index, object, "type"), platform: flag(index, object, "platform"),
            ownershipRequired: ownership != nil, signed: text(index, object, "signed"),
            audit: text(index, object, "audit"), isMetered: object["metering"].map { !$0.isNull } ?? false)
        if rule.signed != nil, !rule.isPublic { report(index, "signed", "stands only with public: true") }
        guard problems.count == count, let pattern else { return }
        rules.append(rule)
        patterns.append(pattern)
    }

    private mutating func access(_ index: Int, _ object: JSONObject) -> RouteRule.Access? {
        var found: [RouteRule.Access] = []
        if let permission = text(index, object, "permission") {
            if !PermissionName.isValid(permission) { report(index, "permission", "is not a permission") }
            found.append(.permission(permission))
        }
        if flag(index, object, "public") { found.append(.open) }
        if flag(index, object, "authenticated") { found.append(.authenticated) }
        guard found.count == 1 else {
            report(index, "", "must have exactly one of permission, public: true and authenticated: true")
            return nil
        }
        return found[0]
    }

    private mutating func methodNames(_ index: Int, _ value: JSONValue?) -> [String] {
        let elements = value?.arrayValue ?? (value?.stringValue == "*" ? ["*"] : [])
        let names = elements.compactMap(\.stringValue)
        guard !names.isEmpty, names.count == elements.count,
            names.allSatisfy({ $0 == "*" || RequestNormalizer.method($0) != nil })
        else {
            report(index, "methods", "must be a list of method names or \"*\"")
            return []
        }
        if names.allSatisfy({ $0 == "HEAD" }) { report(index, "methods", "HEAD is looked up as GET: name GET") }
        if !names.allSatisfy({ methods.note($0) }) {
            report(index, "methods", "the table names more than \(MethodTable.maximumCustom) methods of its own")
        }
        return names
    }

    private mutating func text(_ index: Int, _ object: JSONObject, _ name: String) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            report(index, name, "must be a text")
            return nil
        }
        return text
    }

    private mutating func flag(_ index: Int, _ object: JSONObject, _ name: String) -> Bool {
        guard let value = object[name], !value.isNull else { return false }
        if value.boolValue == nil { report(index, name, "must be true or false") }
        return value.boolValue ?? false
    }
}
