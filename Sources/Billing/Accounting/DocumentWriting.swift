// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Members of stored documents: what is nil, empty, zero or false is left out. Instants are microseconds.
extension JSONWriter {
    mutating func name(_ name: StaticString) {
        if bytes.last != UInt8(ascii: "{") { raw(",") }
        raw("\"")
        raw(name)
        raw("\":")
    }

    mutating func member(_ name: StaticString, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        self.name(name)
        string(text)
    }

    mutating func member(_ name: StaticString, _ number: Int64) {
        guard number != 0 else { return }
        self.name(name)
        integer(number)
    }

    /// Zero is written: only nil is left out.
    mutating func member(_ name: StaticString, optional number: Int64?) {
        guard let number else { return }
        self.name(name)
        integer(number)
    }

    mutating func member(_ name: StaticString, _ flag: Bool) {
        guard flag else { return }
        self.name(name)
        raw("true")
    }

    mutating func member(_ name: StaticString, _ instant: Timestamp?) {
        guard let instant else { return }
        self.name(name)
        integer(instant.microseconds)
    }

    mutating func member(_ name: StaticString, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        self.name(name)
        strings(texts)
    }

    mutating func member<Element>(
        _ name: StaticString, list: [Element], _ write: (inout JSONWriter, Element) -> Void
    ) {
        guard !list.isEmpty else { return }
        self.name(name)
        raw("[")
        for (index, element) in list.enumerated() {
            if index > 0 { raw(",") }
            write(&self, element)
        }
        raw("]")
    }

    mutating func member(_ name: StaticString, object write: (inout JSONWriter) -> Void) {
        self.name(name)
        raw("{")
        write(&self)
        raw("}")
    }

    /// The text of one object.
    static func document(reserving capacity: Int = 512, _ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(reserving: capacity)
        writer.raw("{")
        write(&writer)
        writer.raw("}")
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension JSONValue {
    /// An instant of a stored document.
    var storedInstant: Timestamp? { intValue.map(Timestamp.init(microseconds:)) }

    /// Texts of a stored document.
    var storedTexts: [String] { arrayValue?.compactMap(\.stringValue) ?? [] }
}

extension BillingStoreError {
    /// A stored document that this program does not understand.
    static func unreadable(_ what: String) -> BillingStoreError {
        BillingStoreError(.unreadable, "The stored \(what) cannot be read")
    }
}
