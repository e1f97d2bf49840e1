// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
    /// The JSON text for people and version control: two blanks a level, members sorted by the bytes of their names, one element a line, a
    /// line feed at the end.
    package func indented() -> [UInt8] {
        var writer = JSONWriter(reserving: 4096)
        Self.write(self, level: 0, to: &writer)
        writer.raw("\n")
        return writer.bytes
    }

    private static func write(_ value: JSONValue, level: Int, to writer: inout JSONWriter) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            writer.raw("[")
            for (index, element) in elements.enumerated() {
                newLine(isFirst: index == 0, level: level + 1, to: &writer)
                write(element, level: level + 1, to: &writer)
            }
            newLine(isFirst: true, level: level, to: &writer)
            writer.raw("]")
        case .object(let object) where !object.isEmpty:
            writer.raw("{")
            let members = object.members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            for (index, member) in members.enumerated() {
                newLine(isFirst: index == 0, level: level + 1, to: &writer)
                writer.string(member.name)
                writer.raw(": ")
                write(member.value, level: level + 1, to: &writer)
            }
            newLine(isFirst: true, level: level, to: &writer)
            writer.raw("}")
        default: writer.value(value)
        }
    }

    private static func newLine(isFirst: Bool, level: Int, to writer: inout JSONWriter) {
        if !isFirst { writer.raw(",") }
        writer.raw("\n")
        writer.raw(repeatElement(UInt8(ascii: " "), count: level * 2))
    }
}
