// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension UsageCursor {
    /// As an answer shows it and the next call brings it back.
    package var text: String {
        let list: JSONValue = [.int(at.microseconds), .string(source), .string(id)]
        return Base64URL.encode(list.encoded())
    }

    /// Nil where the text is none that was given out.
    package init?(text: String) {
        guard text.utf8.count <= 2048, let bytes = Base64URL.decode(Array(text.utf8)),
            // Why a text from outside is no cursor helps nobody.
            let list = (try? JSONParser.parse(bytes, limits: .init(depth: 1, values: 8)))?.arrayValue, list.count == 3,
            let at = list[0].intValue, let source = list[1].stringValue, let id = list[2].stringValue
        else { return nil }
        self.init(at: Timestamp(microseconds: at), source: source, id: id)
    }
}
