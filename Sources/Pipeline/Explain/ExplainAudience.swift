// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// For whom a decision is explained: what belongs to other tenants is not said to a tenant.
package struct ExplainAudience: Sendable, Hashable {
    /// The tenant of whoever asks.
    package var tenant: String?
    /// Whether it belongs to the platform itself, which may know everything but secrets.
    package var isPlatform: Bool

    package init(tenant: String?, isPlatform: Bool) {
        self.tenant = tenant
        self.isPlatform = isPlatform
    }

    /// The operators of the installation.
    package static let installation = ExplainAudience(tenant: nil, isPlatform: true)

    /// Stands for whatever is not said.
    package static let blank = "belongs to another tenant"

    /// Whether it may know about a caller of that tenant.
    func mayKnow(callerOf tenant: String?, isPlatform: Bool) -> Bool {
        self.isPlatform || !isPlatform && Self.sameBytes(self.tenant, tenant)
    }

    /// Whether it may know about an AuthConfig of a namespace of that tenant; nil = of the platform, which covers everybody.
    func mayKnow(hostOf tenant: String?) -> Bool { isPlatform || tenant == nil || Self.sameBytes(self.tenant, tenant) }

    private static func sameBytes(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.utf8.elementsEqual(right.utf8)
    }
}

/// What of a decision is not the asker's business.
package struct ExplainBlanks: Sendable, Hashable {
    /// The caller that is judged.
    package var caller = false
    /// The AuthConfig that covers the host.
    package var host = false
    /// The installation's own state.
    package var installation = false

    package init() {}

    /// Everything may be said.
    package static let none = ExplainBlanks()

    func covers(_ owner: Explanation.Owner) -> Bool {
        switch owner {
        case .asker: false
        case .caller: caller
        case .host: host
        case .installation: installation
        }
    }

    /// One text of several lines; runs of lines that may not be said are one line that says so. Nil when there is none.
    func text(_ lines: [Explanation.Line]) -> String? {
        var texts: [String] = []
        for line in lines {
            // Nobody has to know that there is a state of the installation.
            if line.owner == .installation, installation { continue }
            let text = covers(line.owner) ? ExplainAudience.blank : line.text
            if text != ExplainAudience.blank || texts.last != text { texts.append(text) }
        }
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }
}
