// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension Timestamp {
    /// Reads an instant as settings, bodies and tokens give it: a JSON number or text of 1–12 digits are UNIX seconds, other text is ISO 8601.
    /// Fractions are cut off and blanks around text do not matter.
    ///
    /// - Returns: nil when the value is unreadable or lies outside 1970 … 9999, which is always a reason to refuse and never "no limit".
    package init?(claim value: JSONValue) {
        let latest = Timestamp.latest.seconds
        switch value {
        case .int(let seconds):
            guard (0...latest).contains(seconds) else { return nil }
            self.init(seconds: seconds)
        case .double(let seconds):
            guard seconds >= 0, seconds < Double(latest) + 1 else { return nil }
            self.init(seconds: Int64(seconds))
        case .string(let text):
            let trimmed = ASCII.trimmed(text)
            if (1...12).contains(trimmed.utf8.count), trimmed.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                guard let seconds = Int64(trimmed), seconds <= latest else { return nil }
                self.init(seconds: seconds)
            } else {
                self.init(iso8601: trimmed)
            }
        case .null, .bool, .array, .object: return nil
        }
    }
}
