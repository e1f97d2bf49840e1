// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The members of a JSON object, in the order in which they were written. Names are unique.
///
/// Look-up is linear: objects on the request path are small, and large ones are bounded by the parser.
package struct JSONObject: Sendable {
    /// One name and its value.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The members in order. Whoever builds this list keeps names unique.
    package private(set) var members: [Member]

    /// An object without members.
    package init() { members = [] }

    /// Takes members as they are; a later member of the same name replaces an earlier one.
    package init(_ pairs: some Sequence<(String, JSONValue)>) {
        members = []
        members.reserveCapacity(pairs.underestimatedCount)
        for (name, value) in pairs { self[name] = value }
    }

    /// Takes members whose names the caller knows to be unique.
    package init(uniqueMembers: [Member]) { members = uniqueMembers }

    /// Reads, replaces, adds or (with nil) removes the member of that name.
    package subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// The names in order.
    package var names: [String] { members.map(\.name) }

    /// The number of members.
    package var count: Int { members.count }

    /// Whether there is no member.
    package var isEmpty: Bool { members.isEmpty }
}

extension JSONObject: Hashable {
    /// Objects are equal when they have the same members, in any order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.name] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(members.reduce(0) { $0 ^ $1.hashValue })
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
