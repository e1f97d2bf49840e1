// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The outgoing guard: where Tollgate may call because a setting or an object says so.
///
/// `https` only; `http` to loopback and to what the operator allows. What an object names must also have a public address, unless allowed.
package struct EgressRules: Sendable {
    /// A URL that passed, and what its address must be like.
    package struct Target: Sendable, Hashable {
        package let url: EndpointURL
        /// Whether `permits` has to be asked about the address before anybody connects, and the connection has to go to that address.
        package let demandsAddressCheck: Bool
        fileprivate let demand: Demand
    }

    fileprivate enum Demand: Sendable, Hashable {
        case any, publicOrAllowed, allowed
    }

    private let hosts: Set<String>
    private let blocks: [CIDR]

    /// Takes the allow-list: host names and address blocks.
    ///
    /// - Throws: `EgressFault` with `badAllowEntry`.
    package init(allowing entries: [String] = []) throws(EgressFault) {
        var hosts: Set<String> = []
        var blocks: [CIDR] = []
        for entry in entries {
            if let block = CIDR(entry) {
                blocks.append(block)
            } else if let url = try? EndpointURL("https://\(ASCII.trimmed(entry))"), url.port == nil, url.target == "/"
            {
                // Why the text is no host name does not matter: it is none.
                hosts.insert(url.host)
            } else {
                throw EgressFault(.badAllowEntry, "neither a host name nor an address block: \(entry)")
            }
        }
        self.hosts = hosts
        self.blocks = blocks
    }

    /// Allows nothing beyond what is always allowed.
    package static let strict = EgressRules(hosts: [], blocks: [])

    private init(hosts: Set<String>, blocks: [CIDR]) {
        self.hosts = hosts
        self.blocks = blocks
    }

    /// Checks all that can be said without asking the network.
    ///
    /// - Throws: `EgressFault`.
    package func check(_ text: String, trust: EgressTrust) throws(EgressFault) -> Target {
        let url: EndpointURL
        do {
            url = try EndpointURL(text)
        } catch {
            switch error {
            case .malformed: throw EgressFault(.malformedURL, "not an absolute http or https URL")
            case .userInformation: throw EgressFault(.userInformation, "a URL must not hold a user name or password")
            }
        }
        let literal = url.literalAddress ?? (url.host == "localhost" ? IPAddress(ipv4: 0x7F00_0001) : nil)
        let isAllowed = hosts.contains(url.host) || literal.map(isInBlock) ?? false
        if isAllowed { return Target(url: url, demandsAddressCheck: false, demand: .any) }
        if url.scheme == .http, !(literal?.isLoopback ?? false) {
            guard literal == nil, !blocks.isEmpty else {
                throw EgressFault(.plainTextForbidden, "https is required")
            }
            return Target(url: url, demandsAddressCheck: true, demand: .allowed)
        }
        guard trust == .object else { return Target(url: url, demandsAddressCheck: false, demand: .any) }
        if let literal, literal.isSpecialPurpose {
            throw EgressFault(.addressForbidden, "the address of the URL is not public")
        }
        return Target(url: url, demandsAddressCheck: true, demand: .publicOrAllowed)
    }

    /// Whether the connection to a target may go to this address.
    package func permits(_ address: IPAddress, for target: Target) -> Bool {
        switch target.demand {
        case .any: true
        case .allowed: isInBlock(address)
        case .publicOrAllowed: !address.isSpecialPurpose || isInBlock(address)
        }
    }

    private func isInBlock(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }
}
