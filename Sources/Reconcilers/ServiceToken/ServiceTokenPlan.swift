// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Essentials
package import ResourceModel

/// What has to be done so that the token of one ServiceToken object is as the object says. Pure.
package enum ServiceTokenPlan {
    /// The one next thing to do.
    package enum Step: Equatable, Sendable {
        /// Nothing is there, or what is there cannot be used any more: make a text.
        case mint
        /// The text in the Secret is not the record's: a new one, the old one good for the overlap.
        case restore
        /// The time has come, or somebody asked: a new text, the old one good for the overlap.
        case rotate
        /// The text stays; grant or end are brought up to date.
        case update
        /// The object says that the whole family is to be refused.
        case revoke
        /// Its time is over and nothing renews it.
        case expired
    }

    /// What is known of the token that the object has now.
    package struct Present: Equatable, Sendable {
        package var status: ServiceTokenRecord.Status
        package var issuedAt: Timestamp
        /// Whether the text in the Secret is the text of the record.
        package var textIsThere: Bool

        package init(status: ServiceTokenRecord.Status, issuedAt: Timestamp, textIsThere: Bool) {
            self.status = status
            self.issuedAt = issuedAt
            self.textIsThere = textIsThere
        }
    }

    /// Decides the one next step.
    ///
    /// - Parameters:
    ///   - isRevoked: whether the object says so, or ever said so: there is no way back.
    ///   - askedToRotate: whether annotation `tollgate.dev/rotate` changed since the present text was made.
    package static func next(
        spec: ServiceTokenSpec, isRevoked: Bool, present: Present?, askedToRotate: Bool, now: Timestamp
    ) -> Step {
        if isRevoked { return .revoke }
        // No text that is made now would be good for a moment.
        if let end = spec.expiresAt?.timestamp, end <= now { return present?.status == .active ? .update : .expired }
        guard let present else { return .mint }
        switch present.status {
        case .revoked, .rotated: return .mint
        case .expired:
            // An end that was moved on does not bring the old text back to life.
            guard spec.rotation == nil, let end = self.end(of: spec, issuedAt: present.issuedAt), end <= now else {
                return .mint
            }
            return .expired
        case .active: break
        }
        if !present.textIsThere { return .restore }
        if askedToRotate { return .rotate }
        if let every = spec.rotation?.every, now >= present.issuedAt.adding(seconds: every.seconds) { return .rotate }
        return .update
    }

    /// When a text that was made at that instant ends.
    package static func end(of spec: ServiceTokenSpec, issuedAt: Timestamp) -> Timestamp? {
        spec.expiresAt?.timestamp ?? spec.expiresIn.map { issuedAt.adding(seconds: $0.seconds) }
    }
}
