// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The identifier under which a request stands in logs, records and answers.
package enum RequestIdentifier {
    /// Takes over what a trusted peer calls the request, when that is a usable name; else makes one.
    package static func choose(headers: HeaderList, isFromTrustedPeer: Bool, at now: Timestamp) -> String {
        if isFromTrustedPeer, case .one(let given) = headers.lookup("x-request-id"), isUsable(given) { return given }
        return UUIDv7.make(at: now)
    }

    /// `^[A-Za-z0-9._-]{8,64}$`
    private static func isUsable(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    return true
                default: return false
                }
            }
    }
}
