// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Cuts the text of a list into its items as the bytes come, so that never more than one item is held.
///
/// It follows the nesting only; whether an item and what stands around the items is JSON is for the parser to say. What stands around is
/// collected with an empty `items` and read at the end.
struct ListScanner {
    /// What came is no list.
    enum Fault: Error, Equatable {
        case malformed(String)
        case tooLarge
    }

    private enum Place {
        /// Outside of the items.
        case around
        /// In the array, before an item.
        case beforeItem
        case inItem
        /// After the last byte of an object or array that is an item.
        case afterItem
    }

    private let maximumItemBytes: Int
    private let maximumAroundBytes: Int
    private var place = Place.around
    private var around: [UInt8] = []
    private var item: [UInt8] = []
    private var depth = 0
    private var isInText = false
    private var isEscaped = false
    /// The bytes of the last text at depth 1, which is a name when a colon follows.
    private var text: [UInt8] = []
    private var expectsItems = false
    private var hasItems = false

    init(maximumItemBytes: Int, maximumAroundBytes: Int = 1 << 20) {
        self.maximumItemBytes = maximumItemBytes
        self.maximumAroundBytes = maximumAroundBytes
    }

    /// Takes bytes in any portions and gives each item that is whole.
    mutating func take(_ bytes: some Sequence<UInt8>, each: (ArraySlice<UInt8>) throws(Fault) -> Void) throws(Fault) {
        for byte in bytes {
            switch place {
            case .around: try takeAround(byte)
            case .beforeItem: try takeBeforeItem(byte)
            case .inItem:
                item.append(byte)
                guard item.count <= maximumItemBytes else { throw .tooLarge }
                if follow(byte), depth == 0 {
                    try each(item[...])
                    item.removeAll(keepingCapacity: true)
                    place = .afterItem
                }
            case .afterItem: try takeAfterItem(byte)
            }
        }
    }

    /// What stands around the items, with an empty list in their place.
    ///
    /// - Throws: `malformed` when the text ends in the middle.
    func end() throws(Fault) -> [UInt8] {
        guard place == .around, !around.isEmpty else { throw .malformed("the list ends in the middle") }
        return around
    }

    private mutating func takeAround(_ byte: UInt8) throws(Fault) {
        around.append(byte)
        guard around.count <= maximumAroundBytes else { throw .tooLarge }
        let wasInText = isInText
        if depth == 1, wasInText || byte == UInt8(ascii: "\"") {
            if !wasInText { text.removeAll(keepingCapacity: true) }
            text.append(byte)
        }
        follow(byte)
        guard !wasInText, !isInText else { return }
        switch byte {
        case UInt8(ascii: ":") where depth == 1: expectsItems = isItems
        case 0x20, 0x09, 0x0A, 0x0D: break
        case UInt8(ascii: "[") where depth == 2 && expectsItems:
            guard !hasItems else { throw .malformed("the list has items twice") }
            hasItems = true
            expectsItems = false
            // The items count their nesting from zero.
            depth = 0
            place = .beforeItem
        default: expectsItems = false
        }
    }

    /// Whether the last text at depth 1 reads `items`, however it is written.
    private var isItems: Bool {
        guard text.contains(UInt8(ascii: "\\")) else { return text.elementsEqual("\"items\"".utf8) }
        // A text that cannot be read is no name of anything; the parser refuses it at the end.
        return (try? JSONParser.parse(text)) == .string("items")
    }

    private mutating func takeBeforeItem(_ byte: UInt8) throws(Fault) {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: break
        case UInt8(ascii: "{"):
            item.append(byte)
            depth = 1
            place = .inItem
        case UInt8(ascii: "]") where item.isEmpty && !isAfterComma: closeItems()
        default: throw .malformed("an item of the list is no object")
        }
    }

    private var isAfterComma = false

    private mutating func takeAfterItem(_ byte: UInt8) throws(Fault) {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: break
        case UInt8(ascii: ","):
            isAfterComma = true
            place = .beforeItem
        case UInt8(ascii: "]"): closeItems()
        default: throw .malformed("the items of the list are not separated")
        }
    }

    private mutating func closeItems() {
        around.append(UInt8(ascii: "]"))
        depth = 1
        place = .around
    }

    /// Keeps count of texts and nesting.
    ///
    /// - Returns: whether the byte closes an object or an array.
    @discardableResult
    private mutating func follow(_ byte: UInt8) -> Bool {
        if isInText {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInText = false
            }
            return false
        }
        switch byte {
        case UInt8(ascii: "\""): isInText = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            return true
        default: break
        }
        return false
    }
}
