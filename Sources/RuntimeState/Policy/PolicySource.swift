// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization

/// Where policy data comes from.
package struct PolicyOrigin: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The copy in the binary.
        case builtIn = "built-in"
        /// The files of `TOLLGATE_POLICY_DIR`.
        case files
        /// The ConfigMap of `TOLLGATE_POLICY_CONFIGMAP`.
        case configMap = "configmap"
        /// The role document that replicas share, with the routes of what stands below it.
        case database
        /// The operator that a sidecar belongs to.
        case upstream
    }

    package var kind: Kind
    /// The directory, or `namespace/name`; empty for the built-in copy.
    package var location: String
    /// Why it cannot be changed here, as a refusal says it; nil where it can.
    package var readOnlyReason: String?

    package init(kind: Kind, location: String = "", readOnlyReason: String? = nil) {
        self.kind = kind
        self.location = location
        self.readOnlyReason = readOnlyReason
    }

    package var isWritable: Bool { readOnlyReason == nil }
}

/// What a source says at one moment.
package struct PolicyReading: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        case texts(PolicyTexts)
        /// It is there and cannot be read.
        case unreadable([PolicyProblem])
    }

    package var origin: PolicyOrigin
    package var content: Content

    package init(origin: PolicyOrigin, content: Content) {
        self.origin = origin
        self.content = content
    }
}

/// One place that policy data may come from.
package protocol PolicySource: Sendable {
    /// What it says now; nil when it is not there, so that the next source counts.
    func read() -> PolicyReading?

    /// Replaces the role document as a whole, durable when this returns.
    ///
    /// - Parameter texts: what was read before; the write happens only while that is still so.
    /// - Throws: `changed` when somebody else was faster, `failed` in the words of whoever keeps it.
    func write(roles: [UInt8], over texts: PolicyTexts) async throws(PolicyWriteFailure)
}

/// Why a source did not take a document. Then it still has the old one.
package struct PolicyWriteFailure: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        case changed, failed
    }
    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// The copy in the binary: always there, never changed.
package struct BuiltInPolicySource: PolicySource {
    private static let readOnlyReason =
        "The policy data is the built-in copy: to change roles, put data.json and routes.yaml in a directory and name it in TOLLGATE_POLICY_DIR"

    package init() {}

    package func read() -> PolicyReading? {
        PolicyReading(
            origin: PolicyOrigin(kind: .builtIn, readOnlyReason: Self.readOnlyReason), content: .texts(.builtIn))
    }

    package func write(roles: [UInt8], over texts: PolicyTexts) async throws(PolicyWriteFailure) {
        throw PolicyWriteFailure(.failed, Self.readOnlyReason)
    }
}
