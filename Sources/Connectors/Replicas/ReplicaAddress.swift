// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where a replica listens: `scheme://POD_IP:port`. Nothing but an address literal is one, so that no name has to be believed.
package struct ReplicaAddress: Sendable, Hashable, CustomStringConvertible {
    package let address: IPAddress
    package let port: Int
    package let usesTLS: Bool

    package init(address: IPAddress, port: Int, usesTLS: Bool) {
        self.address = address
        self.port = port
        self.usesTLS = usesTLS
    }

    /// Reads the text of a Lease; nil when it is anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 128 else { return nil }
        let rest: Substring
        if text.hasPrefix("http://") {
            usesTLS = false
            rest = text.dropFirst(7)
        } else if text.hasPrefix("https://") {
            usesTLS = true
            rest = text.dropFirst(8)
        } else {
            return nil
        }
        guard let last = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: last)...]), port > 0 else {
            return nil
        }
        var host = rest[..<last]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard let address = IPAddress(String(host)) else { return nil }
        self.address = address
        self.port = Int(port)
    }

    /// Address and port, as the host of a request.
    package var authority: String {
        let host = "\(address)"
        return "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    package var description: String { "\(usesTLS ? "https" : "http")://\(authority)" }
}
