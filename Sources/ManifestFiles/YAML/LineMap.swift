// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// The lines on which the parts of a document stand: a tree of the same form as its value.
package struct LineMap: Sendable {
    /// The line of this value, or of its name in an object; from 1.
    package var line: Int
    /// One for each member or element, in order.
    package var children: [LineMap]

    /// Takes the line and the parts.
    package init(line: Int, children: [LineMap] = []) {
        self.line = line
        self.children = children
    }

    /// The line of the deepest part of the path that is there.
    package func line(of path: FieldPath, in value: JSONValue) -> Int {
        var map = self
        var value = value
        for step in path.steps {
            let next: (index: Int, value: JSONValue)?
            switch (step, value) {
            case (.member(let name), .object(let object)):
                next = object.members.firstIndex { $0.name == name }.map { ($0, object.members[$0].value) }
            case (.element(let index), .array(let elements)):
                next = elements.indices.contains(index) ? (index, elements[index]) : nil
            default: next = nil
            }
            guard let next, next.index < map.children.count else { return map.line }
            map = map.children[next.index]
            value = next.value
        }
        return map.line
    }
}

/// One document of a file.
package struct YAMLDocument: Sendable {
    /// What it says.
    package let value: JSONValue
    /// Where it says it.
    package let lines: LineMap

    /// Takes both.
    package init(value: JSONValue, lines: LineMap) {
        self.value = value
        self.lines = lines
    }
}

/// Why a text cannot be read, and where.
package struct YAMLFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    package enum Code: String, Sendable {
        case tooLarge, badUTF8, syntax, tooDeep, tooManyValues, unknownAlias, duplicateKey, badKey, badTag, badMerge
        case badNumber
    }
    package let code: Code
    /// From 1.
    package let line: Int
    package let message: String

    package var description: String { "line \(line): \(message)" }
}
