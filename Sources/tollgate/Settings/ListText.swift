// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Lists in settings: commas or white space between the elements, or a JSON list of texts.
enum ListText {
    /// The elements, trimmed, blanks dropped, in order, each once; nil when a JSON list holds something else than texts.
    static func elements(_ text: String) -> [String]? {
        let trimmed = ASCII.trimmed(text)
        var elements: [String] = []
        if trimmed.utf8.first == UInt8(ascii: "[") {
            // A text that is no JSON is no list either: the reason is in what the setting expects.
            guard let list = (try? JSONParser.parse(text: trimmed))?.arrayValue else { return nil }
            for element in list {
                guard let text = element.stringValue else { return nil }
                elements.append(ASCII.trimmed(text))
            }
        } else {
            elements = trimmed.utf8.split { $0 == UInt8(ascii: ",") || ASCII.isWhiteSpace($0) }.map { String($0) ?? "" }
        }
        var seen: Set<String> = []
        return elements.filter { !$0.isEmpty && seen.insert($0).inserted }
    }
}

/// A host that outgoing calls may reach over http or at private addresses.
enum EgressTarget: Sendable, Hashable, CustomStringConvertible {
    /// A host by its name, lower case.
    case host(String)
    /// A block of addresses.
    case block(CIDR)

    /// As settings write it.
    var description: String {
        switch self {
        case .host(let name): name
        case .block(let block): block.description
        }
    }
}

extension SettingFormat {
    /// A list whose elements are read one by one; at most 256 of them.
    static func list<Element: Sendable>(
        _ type: String, expected: String, element: @escaping @Sendable (String) -> Element?
    ) -> SettingFormat where Value == [Element] {
        SettingFormat(type, expected: expected) { text in
            guard let elements = ListText.elements(text), elements.count <= 256 else { return nil }
            var result: [Element] = []
            for text in elements {
                guard let value = element(text) else { return nil }
                result.append(value)
            }
            return result
        }
    }

    /// A list of `name=value`; several values of one name are kept in order.
    static func pairs(
        expected: String, value accepts: @escaping @Sendable (String) -> Bool
    ) -> SettingFormat where Value == [String: [String]] {
        SettingFormat("pairs", expected: expected) { text in
            guard let elements = ListText.elements(text), elements.count <= 1024 else { return nil }
            var result: [String: [String]] = [:]
            for element in elements {
                let parts = element.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, NameRules.isNamespace(String(parts[0])), accepts(String(parts[1])) else {
                    return nil
                }
                result[String(parts[0]), default: []].append(String(parts[1]))
            }
            return result
        }
    }
}

extension SettingFormat where Value == [CIDR] {
    /// Blocks of addresses, or single addresses.
    static var cidrs: SettingFormat {
        .list("CIDR list", expected: "a list of addresses or blocks such as 10.0.0.0/8, fd00::/8") { CIDR($0) }
    }
}

extension SettingFormat where Value == [EgressTarget] {
    /// Host names and blocks of addresses.
    static var egressTargets: SettingFormat {
        .list("list", expected: "a list of host names, addresses or blocks such as 10.0.0.0/8") { text in
            if let block = CIDR(text) { return .block(block) }
            let host = ASCII.lowercased(text)
            return NameRules.isHost(host) ? .host(host) : nil
        }
    }
}

/// The names that settings may hold.
enum NameRules {
    /// A Kubernetes namespace: a DNS label.
    static func isNamespace(_ text: String) -> Bool { isLabel(text) }

    /// A Kubernetes object name: DNS labels with dots between them, 253 bytes at most.
    static func isObjectName(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel(String($0)) }
    }

    /// A lower-case host name without port.
    static func isHost(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count)
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == 0x5F }
            }
    }

    /// A host, `*.suffix` or `*`.
    static func isHostPattern(_ text: String) -> Bool {
        text == "*" || isHost(text.hasPrefix("*.") ? String(text.dropFirst(2)) : text)
    }

    /// A role name: `[a-z0-9][a-z0-9_-]{1,63}`.
    static func isRole(_ text: String) -> Bool {
        (2...64).contains(text.utf8.count) && text.utf8.first.map(isLowerAlphanumeric) == true
            && text.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// A tenant id: 1 to 128 visible ASCII characters.
    static func isTenant(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// A prefix of API keys: `[a-z][a-z0-9]{1,15}`, not that of service tokens.
    static func isKeyPrefix(_ text: String) -> Bool {
        (2...16).contains(text.utf8.count) && text != "tgs"
            && text.utf8.first.map { (0x61...0x7A).contains($0) } == true && text.utf8.allSatisfy(isLowerAlphanumeric)
    }

    /// The name of an audit writer: `[a-z0-9.-]{1,63}`.
    static func isWriter(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    private static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
