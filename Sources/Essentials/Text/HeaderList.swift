// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The header lines of a request, in order, without any HTTP library's types. Names are lower case.
package struct HeaderList: Sendable, Hashable {
    /// One line.
    package struct Field: Sendable, Hashable {
        /// Lower case.
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What a look-up of a name found.
    package enum Lookup: Sendable, Hashable {
        case absent
        case one(String)
        case several([String])
    }

    /// The lines in order.
    package private(set) var fields: [Field]

    /// A list without lines.
    package init() { fields = [] }

    /// Takes lines whose names are lower case already.
    package init(lowercasedFields: [Field]) { fields = lowercasedFields }

    /// Takes names in any case.
    package init(_ pairs: some Sequence<(String, String)>) {
        fields = pairs.map { Field(name: ASCII.lowercased($0.0), value: $0.1) }
    }

    /// Finds the lines of a lower-case name.
    package func lookup(_ name: String) -> Lookup {
        var found: String?
        for (index, field) in fields.enumerated() where field.name == name {
            guard found == nil else {
                return .several(
                    fields[..<index].filter { $0.name == name }.map(\.value)
                        + fields[index...].filter { $0.name == name }.map(\.value))
            }
            found = field.value
        }
        return found.map(Lookup.one) ?? .absent
    }

    /// The first line of a lower-case name.
    package func first(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Every line of a lower-case name, in order.
    package func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// Adds a line; the name must be lower case.
    package mutating func append(name: String, value: String) { fields.append(Field(name: name, value: value)) }
}
