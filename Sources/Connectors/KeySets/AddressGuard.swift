// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials

/// Finds the addresses that a checked URL may be called at.
struct AddressGuard: Sendable {
    /// Why there is none.
    enum Fault: Error, Sendable {
        /// The name cannot be looked up.
        case unresolved(any Error)
        /// There are addresses, and none of them may be called.
        case forbidden
    }

    let egress: EgressRules
    let resolver: any AddressResolving

    /// Every address that the connection may go to, in the order in which they should be tried; empty where the host has none.
    func addresses(of target: EgressRules.Target) async throws(Fault) -> [IPAddress] {
        let found: [IPAddress]
        if let literal = target.url.literalAddress {
            found = [literal]
        } else {
            do {
                found = try await resolver.addresses(of: target.url.host)
            } catch {
                throw .unresolved(error)
            }
        }
        let permitted = found.filter { egress.permits($0, for: target) }
        guard !permitted.isEmpty || found.isEmpty else { throw .forbidden }
        return permitted
    }
}
