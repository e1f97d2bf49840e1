// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A SPIFFE ID: `spiffe://trust-domain/path`.
struct SPIFFEIdentifier: Sendable, Hashable {
    /// Lower case.
    let trustDomain: String
    let pathSegments: [String]

    /// Reads an ID as its specification has it: no port, user, query, fragment, empty or dotted segment, at most 2048 bytes.
    init?(_ text: String) {
        let scheme = "spiffe://"
        guard text.utf8.count <= 2048, text.utf8.starts(with: scheme.utf8) else { return nil }
        let parts = text.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        guard let domain = parts.first, (1...255).contains(domain.utf8.count), domain.utf8.allSatisfy(Self.isDomainByte)
        else { return nil }
        let segments = parts.dropFirst()
        let arePlain = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.allSatisfy(Self.isPathByte)
        }
        guard arePlain else { return nil }
        trustDomain = String(domain)
        pathSegments = segments.map(String.init)
    }

    /// The path part after the part `tenant`.
    var tenant: String? {
        guard let index = pathSegments.firstIndex(of: "tenant"), index + 1 < pathSegments.count else { return nil }
        return pathSegments[index + 1]
    }

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        isDomainByte(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
