// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension JSONValue: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Reads any value from any decoder.
    package init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONValueDecoder {
            self = decoder.value
        } else if let container = try? decoder.container(keyedBy: Name.self) {  // not an object: the next form is tried
            self = .object(
                JSONObject(
                    try container.allKeys.map { ($0.stringValue, try container.decode(JSONValue.self, forKey: $0)) }))
        } else {
            self = try Self.decodeOther(decoder)
        }
    }

    private static func decodeOther(_ decoder: any Decoder) throws -> JSONValue {
        if var list = try? decoder.unkeyedContainer() {  // not a list: it is a single value
            var elements: [JSONValue] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONValue.self)) }
            return .array(elements)
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() { return .null }
        // Each form is tried in turn: a failure means only that the value has another one.
        if let value = try? single.decode(Bool.self) { return .bool(value) }
        if let value = try? single.decode(Int64.self) { return .int(value) }
        if let value = try? single.decode(Double.self) { return .double(value) }
        return .string(try single.decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            var container = encoder.container(keyedBy: Name.self)
            for member in object.members { try container.encode(member.value, forKey: Name(stringValue: member.name)) }
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .string(let text): try encodeSingle(text, encoder)
        case .int(let number): try encodeSingle(number, encoder)
        case .double(let number): try encodeSingle(number, encoder)
        case .bool(let value): try encodeSingle(value, encoder)
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        }
    }

    private func encodeSingle(_ value: some Encodable, _ encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// Reads `Decodable` values from a JSON document in memory.
package struct JSONValueDecoder: Decoder {
    fileprivate let value: JSONValue
    package let codingPath: [any CodingKey]
    package var userInfo: [CodingUserInfoKey: Any] { [:] }

    fileprivate init(_ value: JSONValue, _ codingPath: [any CodingKey]) {
        self.value = value
        self.codingPath = codingPath
    }

    /// Decodes a value.
    ///
    /// - Throws: `DecodingError`.
    package static func decode<Value: Decodable>(_: Value.Type, from value: JSONValue) throws -> Value {
        try Value(from: JSONValueDecoder(value, []))
    }

    fileprivate static func mismatch(_ type: Any.Type, _ value: JSONValue, _ path: [any CodingKey]) -> DecodingError {
        .typeMismatch(type, .init(codingPath: path, debugDescription: "a \(value.kindName) cannot be read as \(type)"))
    }

    fileprivate static func unbox<Value: Decodable>(_ type: Value.Type, _ value: JSONValue, _ path: [any CodingKey])
        throws -> Value
    {
        let simple: Any?
        switch type {
        case is String.Type: simple = value.stringValue
        case is Bool.Type: simple = value.boolValue
        case is Int64.Type: simple = value.intValue
        case is Int.Type: simple = value.intValue.flatMap { Int(exactly: $0) }
        case is Double.Type:
            if case .double(let number) = value { simple = number } else { simple = value.intValue.map(Double.init) }
        case is JSONValue.Type: simple = value
        case is any FixedWidthInteger.Type, is any BinaryFloatingPoint.Type: simple = nil
        default: return try Value(from: JSONValueDecoder(value, path))
        }
        guard let simple = simple as? Value else { throw mismatch(type, value, path) }
        return simple
    }

    package func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let object = value.objectValue else { throw Self.mismatch(JSONObject.self, value, codingPath) }
        return KeyedDecodingContainer(Keyed<Key>(object: object, codingPath: codingPath))
    }

    package func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = value.arrayValue else { throw Self.mismatch([JSONValue].self, value, codingPath) }
        return Unkeyed(elements: elements, codingPath: codingPath)
    }

    package func singleValueContainer() throws -> any SingleValueDecodingContainer {
        Single(value: value, codingPath: codingPath)
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let object: JSONObject
        let codingPath: [any CodingKey]
        var allKeys: [Key] { object.names.compactMap { Key(stringValue: $0) } }

        func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { object[key.stringValue].map(\.isNull) ?? true }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try JSONValueDecoder.unbox(type, member(key), codingPath + [key])
        }

        private func member(_ key: Key) throws -> JSONValue {
            guard let value = object[key.stringValue] else {
                throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "missing"))
            }
            return value
        }

        func nestedContainer<Other: CodingKey>(keyedBy type: Other.Type, forKey key: Key) throws
            -> KeyedDecodingContainer<Other>
        { try JSONValueDecoder(member(key), codingPath + [key]).container(keyedBy: type) }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try JSONValueDecoder(member(key), codingPath + [key]).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder { JSONValueDecoder(.object(object), codingPath) }
        func superDecoder(forKey key: Key) throws -> any Decoder {
            try JSONValueDecoder(member(key), codingPath + [key])
        }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [JSONValue]
        let codingPath: [any CodingKey]
        var currentIndex = 0
        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex >= elements.count }

        private mutating func next() throws -> JSONValue {
            guard currentIndex < elements.count else {
                throw DecodingError.valueNotFound(
                    JSONValue.self, .init(codingPath: codingPath, debugDescription: "the list is at its end"))
            }
            defer { currentIndex += 1 }
            return elements[currentIndex]
        }

        mutating func decodeNil() throws -> Bool {
            guard currentIndex < elements.count, elements[currentIndex].isNull else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONValueDecoder.unbox(type, next(), codingPath)
        }

        mutating func nestedContainer<Other: CodingKey>(keyedBy type: Other.Type) throws
            -> KeyedDecodingContainer<Other>
        { try JSONValueDecoder(next(), codingPath).container(keyedBy: type) }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try JSONValueDecoder(next(), codingPath).unkeyedContainer()
        }

        mutating func superDecoder() throws -> any Decoder { JSONValueDecoder(try next(), codingPath) }
    }

    private struct Single: SingleValueDecodingContainer {
        let value: JSONValue
        let codingPath: [any CodingKey]
        func decodeNil() -> Bool { value.isNull }
        func decode(_ type: String.Type) throws -> String {
            guard let text = value.stringValue else { throw JSONValueDecoder.mismatch(type, value, codingPath) }
            return text
        }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONValueDecoder.unbox(type, value, codingPath)
        }
    }
}
