// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A list of route rules, compiled. First match wins. Immutable, one reference to pass on.
package final class RouteTable: Sendable {
    /// Whose list it is.
    package enum Source: Sendable {
        /// The table of the platform: 4096 rules.
        case shipped
        /// The list of one AuthConfig: 512 rules; `metering` may stand in a rule and is not looked at here.
        case authConfig

        var maximumRules: Int { self == .shipped ? 4096 : 512 }
    }

    /// The rules in order.
    package let rules: [RouteRule]
    /// Rules that can never match.
    package let unreachable: [UnreachableRoute]
    /// What the table was read from.
    package let document: JSONValue

    let methods: MethodTable
    let patterns: [RoutePattern]
    private let trie: RouteTrie
    /// By rule, then by the number of the method's bit.
    private let displays: [[String?]]
    private let captures: [[Capture]]

    /// Which segment gives which attribute.
    private struct Capture: Sendable {
        enum Target: Sendable {
            case id, tenant, project, owner, type
        }
        let segment: Int
        let target: Target
    }

    /// Reads `{version: 1, rules: […]}` or the bare list.
    ///
    /// - Throws: every problem at once.
    package init(document: JSONValue, source: Source = .shipped) throws(RouteTableError) {
        var reader = RouteReader(source: source)
        reader.read(document)
        guard reader.problems.isEmpty else { throw RouteTableError(problems: reader.problems) }
        var builder = RouteTrieBuilder()
        var unreachable: [UnreachableRoute] = []
        let methods = reader.methods
        for (rule, pattern) in zip(reader.rules, reader.patterns) {
            let bits = methods.bits(rule.methods)
            if let earlier = builder.rule(covering: pattern, methods: bits) {
                unreachable.append(Self.unreachable(rule, by: reader.rules[earlier]))
            }
            builder.insert(pattern, rule: rule.index, methods: bits)
        }
        self.document = document
        self.methods = methods
        self.unreachable = unreachable
        rules = reader.rules
        patterns = reader.patterns
        trie = RouteTrie(builder)
        displays = reader.rules.map { Self.displays($0, methods) }
        captures = reader.patterns.map(Self.captures)
    }

    /// The first rule that covers the request; HEAD is looked up as GET.
    package func match(method: String, path: CanonicalPath) -> RouteMatch? {
        let bit = methods.bit(method)
        var text = path.text
        // The closure is given the bytes of a native string without a copy.
        guard let number = text.withUTF8({ trie.firstMatch($0, method: bit) }) else { return nil }
        let rule = rules[number]
        let place = bit.trailingZeroBitCount
        let known = place < displays[number].count ? displays[number][place] : nil
        return RouteMatch(
            rule: rule, display: known ?? "\(method) \(rule.path)", captures: captured(number, in: path))
    }

    private func captured(_ number: Int, in path: CanonicalPath) -> ResourceAttributes {
        var attributes = ResourceAttributes()
        guard !captures[number].isEmpty else { return attributes }
        var segment = 0
        let bytes = path.text.utf8
        var start = bytes.index(after: bytes.startIndex)
        for capture in captures[number] {
            while true {
                let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
                let found = segment == capture.segment
                if found { Self.set(capture.target, String(path.text[start..<end]), in: &attributes) }
                segment += 1
                start = end == bytes.endIndex ? end : bytes.index(after: end)
                if found || start == bytes.endIndex { break }
            }
        }
        return attributes
    }

    private static func set(_ target: Capture.Target, _ text: String, in attributes: inout ResourceAttributes) {
        switch target {
        case .id: attributes.id = text
        case .tenant: attributes.tenant = text
        case .project: attributes.project = text
        case .owner: attributes.owner = text
        case .type: attributes.type = text
        }
    }

    private static func captures(_ pattern: RoutePattern) -> [Capture] {
        pattern.segments.enumerated().compactMap { index, segment in
            guard case .capture(let name) = segment else { return nil }
            switch name {
            case "id": return Capture(segment: index, target: .id)
            case "tenant": return Capture(segment: index, target: .tenant)
            case "project": return Capture(segment: index, target: .project)
            case "user": return Capture(segment: index, target: .owner)
            case "type": return Capture(segment: index, target: .type)
            default: return nil
            }
        }
    }

    private static func displays(_ rule: RouteRule, _ methods: MethodTable) -> [String?] {
        let bits = methods.bits(rule.methods)
        let count = MethodTable.Bits.bitWidth - bits.leadingZeroBitCount
        return (0..<count).map { place in
            let bit = MethodTable.Bits(1) << MethodTable.Bits(place)
            guard bits & bit != 0, let name = methods.name(ofBit: bit) else { return nil }
            return "\(name) \(rule.path)"
        }
    }

    private static func unreachable(_ rule: RouteRule, by earlier: RouteRule) -> UnreachableRoute {
        UnreachableRoute(
            rule: rule.index, coveredBy: earlier.index,
            message: "\(rule.place) can never match: \(earlier.place) covers it")
    }
}
