// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Finds texts that look like a secret: JWTs, bearer credentials, the tokens of known products, PEM private keys, the userinfo of URLs.
enum SecretShapes {
    /// Bytes at which a look is worth while; every other byte is passed over.
    private static let isAnchor: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "eBbtsrwgxA-:".utf8 { table[Int(byte)] = true }
        return table
    }()

    private static let prefixes: [(text: StaticString, minimum: Int)] = [
        ("tgs_", 1), ("tgk_live_", 1), ("tgk_test_", 1), ("sk_live_", 1), ("sk_test_", 1), ("rk_live_", 1),
        ("whsec_", 1), ("ghp_", 1), ("gho_", 1), ("ghs_", 1), ("github_pat_", 1),
    ]

    /// The parts that are secrets, in order and without overlap.
    static func find(in bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = 0
        isAnchor.withUnsafeBufferPointer { anchors in
            while index < bytes.count {
                guard anchors[Int(bytes[index])], let range = secret(at: index, in: bytes) else {
                    index += 1
                    continue
                }
                found.append(range)
                index = max(index + 1, range.upperBound)
            }
        }
        return found
    }

    private static func secret(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        switch bytes[index] {
        case UInt8(ascii: "e"): jwt(at: index, in: bytes)
        case UInt8(ascii: "B"), UInt8(ascii: "b"): bearer(at: index, in: bytes)
        case UInt8(ascii: "A"): awsID(at: index, in: bytes)
        case UInt8(ascii: "x"): slack(at: index, in: bytes)
        case UInt8(ascii: "-"): privateKey(at: index, in: bytes)
        case UInt8(ascii: ":"): userInfo(at: index, in: bytes)
        default: prefixed(at: index, in: bytes)
        }
    }

    private static func has(_ text: StaticString, at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func wordEnd(_ start: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var end = start
        while end < bytes.count, isWord(bytes[end]) { end += 1 }
        return end
    }

    private static func prefixed(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for (text, minimum) in prefixes where has(text, at: index, in: bytes) {
            let start = index + text.utf8CodeUnitCount
            let end = wordEnd(start, in: bytes)
            if end - start >= minimum { return index..<end }
        }
        return nil
    }

    /// Three base64url parts of which the first begins like a JSON object.
    private static func jwt(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard has("eyJ", at: index, in: bytes) else { return nil }
        let header = wordEnd(index, in: bytes)
        guard header - index >= 8, header < bytes.count, bytes[header] == UInt8(ascii: ".") else { return nil }
        let payload = wordEnd(header + 1, in: bytes)
        guard payload - header >= 4, payload < bytes.count, bytes[payload] == UInt8(ascii: ".") else { return nil }
        return index..<wordEnd(payload + 1, in: bytes)
    }

    /// `Bearer` in any case, blanks, and what follows up to the next blank or quote.
    private static func bearer(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        let word: StaticString = "bearer"
        guard index + 7 < bytes.count else { return nil }
        for offset in 0..<6 where bytes[index + offset] | 0x20 != word.utf8Start[offset] { return nil }
        var start = index + 6
        while start < bytes.count, isBlank(bytes[start]) || bytes[start] == UInt8(ascii: "+") { start += 1 }
        guard start > index + 6, start < bytes.count else { return nil }
        var end = start
        while end < bytes.count, !isBlank(bytes[end]), bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: ",")
        {
            end += 1
        }
        return end > start ? index..<end : nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func awsID(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard has("AKIA", at: index, in: bytes) || has("ASIA", at: index, in: bytes) else { return nil }
        var end = index + 4
        while end < bytes.count {
            switch bytes[end] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                end += 1
                continue
            default: break
            }
            break
        }
        return end - index >= 16 ? index..<end : nil
    }

    private static func slack(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard has("xox", at: index, in: bytes), index + 5 < bytes.count, bytes[index + 4] == UInt8(ascii: "-"),
            isWord(bytes[index + 3])
        else { return nil }
        let end = wordEnd(index + 5, in: bytes)
        return end > index + 5 ? index..<end : nil
    }

    /// From `-----BEGIN … PRIVATE KEY-----` to the end of the matching END line; to the end of the text where there is none.
    private static func privateKey(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard has("-----BEGIN ", at: index, in: bytes) else { return nil }
        var position = index + 11
        let limit = min(bytes.count, position + 64)
        while position < limit, !has("PRIVATE KEY-----", at: position, in: bytes) { position += 1 }
        guard position < limit else { return nil }
        while position < bytes.count, !has("-----END ", at: position, in: bytes) { position += 1 }
        guard position < bytes.count else { return index..<bytes.count }
        position += 9
        while position < bytes.count, !has("-----", at: position, in: bytes) { position += 1 }
        return index..<min(bytes.count, position + 5)
    }

    /// What stands between `://` and the `@` before the path.
    private static func userInfo(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        guard has("://", at: index, in: bytes) else { return nil }
        let start = index + 3
        var at: Int?
        var end = start
        scan: while end < bytes.count {
            switch bytes[end] {
            case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""), 0...0x20: break scan
            case UInt8(ascii: "@"): at = end
            default: break
            }
            end += 1
        }
        return at.flatMap { $0 > start ? start..<$0 : nil }
    }
}
