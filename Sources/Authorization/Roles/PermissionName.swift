// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The grammar of permissions, and the one matcher for role permissions and scopes.
package enum PermissionName {
    /// Whether the text is a permission: two or three segments with `:` between, at most 128 bytes.
    ///
    /// - Parameter allowingWildcard: whether the last segment may be `*`, as in grants.
    package static func isValid(_ text: String, allowingWildcard: Bool = false) -> Bool {
        guard text.utf8.count <= 128 else { return false }
        var segment = 1
        var length = 0
        var wildcard = false
        for byte in text.utf8 {
            if wildcard { return false }
            switch byte {
            case UInt8(ascii: ":"):
                guard length > 0, segment < 3 else { return false }
                segment += 1
                length = 0
                continue
            case 0x61...0x7A: break
            case UInt8(ascii: "_"): guard length > 0 || segment == 1 else { return false }
            case 0x30...0x39: guard length > 0 else { return false }
            case UInt8(ascii: "-"): guard length > 0, segment > 1 else { return false }
            case UInt8(ascii: "*"):
                guard allowingWildcard, length == 0, segment > 1 else { return false }
                wildcard = true
            default: return false
            }
            length += 1
        }
        return segment >= 2 && length > 0
    }

    /// Whether a grant covers an action: the same text, or `P:*` where P is the action's text before its last colon.
    package static func matches(grant: String, action: String) -> Bool {
        if grant == action { return true }
        let held = grant.utf8
        guard held.count >= 3, held.last == UInt8(ascii: "*") else { return false }
        let prefix = held.dropLast()
        guard prefix.last == UInt8(ascii: ":"),
            let colon = action.utf8.lastIndex(of: UInt8(ascii: ":"))
        else { return false }
        return prefix.elementsEqual(action.utf8[...colon])
    }

    /// The text before the last colon; nil without a colon.
    static func prefix(of action: String) -> Substring? {
        action.utf8.lastIndex(of: UInt8(ascii: ":")).map { action[..<$0] }
    }

    /// Whether the first segment is `admin`.
    static func isAdministrative(_ action: String) -> Bool {
        action.utf8.starts(with: "admin:".utf8) || action == "admin"
    }

    /// Whether the last segment is that text.
    static func ends(_ action: String, in last: StaticString) -> Bool {
        let length = last.utf8CodeUnitCount
        let bytes = action.utf8
        guard bytes.count > length else { return false }
        let tail = bytes.suffix(length + 1)
        guard tail.first == UInt8(ascii: ":") else { return false }
        return tail.dropFirst().elementsEqual(UnsafeBufferPointer(start: last.utf8Start, count: length))
    }

    /// Whether the text is a role's name: `[a-z0-9][a-z0-9_-]{1,63}`.
    package static func isRoleName(_ text: String) -> Bool {
        guard (2...64).contains(text.utf8.count) else { return false }
        return text.utf8.enumerated().allSatisfy { offset, byte in
            switch byte {
            case 0x61...0x7A, 0x30...0x39: true
            case UInt8(ascii: "_"), UInt8(ascii: "-"): offset > 0
            default: false
            }
        }
    }
}
