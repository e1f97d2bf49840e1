// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How the customer of an event and the account that it is for belong together.
package enum CustomerLink: Sendable, Hashable {
    /// They are linked, or the event has no customer to link.
    case present
    /// They are to be linked now.
    case new(String)
    /// The account has another customer: the event waits for a person.
    case secondCustomer
    /// The customer is another account's: the event waits for a person.
    case otherAccount

    /// Decides for an event whose account is known.
    ///
    /// - Parameters:
    ///   - customers: all that are linked to the account.
    ///   - owner: the account that the event's customer is linked to.
    package static func decide(
        _ event: ProviderEvent, account: String, customers: [String], owner: String?
    ) -> CustomerLink {
        guard let customer = event.customer else { return .present }
        if owner == account || customers.contains(customer) { return .present }
        if owner != nil { return .otherAccount }
        return customers.isEmpty ? .new(customer) : .secondCustomer
    }

    /// Why the event is parked; nil where it is not.
    package var parkedBecause: String? {
        switch self {
        case .present, .new: nil
        case .secondCustomer: "second_customer"
        case .otherAccount: "customer_of_another_account"
        }
    }
}

extension ProviderEvent {
    /// The account that the event is for: the one that it names, else the one that its customer is linked to; nil = not known yet.
    ///
    /// - Parameter linked: the account that the event's customer is linked to.
    package func account(linked: String?) -> String? { account ?? linked }
}
