// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where a browser goes on to after signing in: a path of this very host, whatever was asked for.
enum ReturnTarget {
    /// Where it goes when it is not told where.
    static let standard = "/console/"
    private static let maximumBytes = 2048

    /// The text if it is a path of this host, else the console.
    ///
    /// Browsers read `//host` and `/\\host` as another host, and drop tabs and line ends before they look.
    static func path(_ text: String?) -> String {
        guard let text, text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= maximumBytes else { return standard }
        var previous: UInt8 = 0
        for byte in text.utf8 {
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\\") else { return standard }
            if byte == UInt8(ascii: "/"), previous == UInt8(ascii: "/") { return standard }
            previous = byte
        }
        return text
    }
}
