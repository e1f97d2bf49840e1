// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CYaml

/// Reads YAML as `kubectl` does (sigs.k8s.io/yaml): YAML 1.1 scalars, so that plain `yes`, `no`, `on`, `off`, `y` and `n` are booleans
/// and `010` is 8; member names become texts; times stay texts; `<<` merges. Stricter in one thing: a name may stand once in an object.
///
/// JSON is YAML, so `.json` files are read the same way. Text from outside cannot exhaust stack or memory: see `Limits`.
package enum YAMLReader {
    /// Bounds on what is accepted.
    package struct Limits: Sendable {
        /// Bytes of the text.
        package var bytes = 1 << 20
        /// Open lists and objects at once.
        package var depth = 64
        /// Values in all documents, those behind aliases counted each time.
        package var values = 200_000

        /// The bounds for manifest files.
        package init() {}
    }

    /// Every document of the text; empty ones are left out.
    ///
    /// - Throws: `YAMLFault` with code and line.
    package static func parse(_ text: String, limits: Limits = Limits()) throws(YAMLFault) -> [YAMLDocument] {
        try parse(Array(text.utf8), limits: limits)
    }

    /// Every document of the bytes, which must be UTF-8; empty ones are left out.
    ///
    /// - Throws: `YAMLFault` with code and line.
    package static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(YAMLFault) -> [YAMLDocument] {
        guard bytes.count <= limits.bytes else {
            throw YAMLFault(code: .tooLarge, line: 1, message: "the text has more than \(limits.bytes) bytes")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw YAMLFault(code: .badUTF8, line: 1, message: "the text is not UTF-8")
        }
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(YAMLFault) in
                var events = YAMLEvents(buffer)
                defer { events.close() }
                var builder = YAMLBuilder(limits: limits)
                return try builder.documents(&events)
            }
        }
        return try result.get()
    }
}

/// One step of a YAML text.
enum YAMLEvent {
    case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
    case alias(String)
    case scalar(text: String, isPlain: Bool, tag: String?, anchor: String?)
    case sequenceStart(tag: String?, anchor: String?)
    case mappingStart(tag: String?, anchor: String?)
}

/// The parser's events over a buffer that outlives it.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// The line of the last event; from 1.
    private(set) var line = 1

    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
    }

    /// Gives the parser's memory back.
    mutating func close() {
        yaml_parser_delete(parser)
        parser.deinitialize(count: 1)
        parser.deallocate()
    }

    mutating func next() throws(YAMLFault) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
        defer { yaml_event_delete(&event) }
        line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                text: String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
                tag: Self.text(scalar.tag), anchor: Self.text(scalar.anchor))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return .sequenceStart(tag: Self.text(start.tag), anchor: Self.text(start.anchor))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return .mappingStart(tag: Self.text(start.tag), anchor: Self.text(start.anchor))
        default: return .streamEnd
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func fault() -> YAMLFault {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        let context = parser.pointee.context.map { String(cString: $0) + ": " } ?? ""
        let mark = max(parser.pointee.problem_mark.line, parser.pointee.context_mark.line)
        return YAMLFault(code: .syntax, line: Int(mark) + 1, message: "this is no YAML: \(context)\(problem)")
    }
}
