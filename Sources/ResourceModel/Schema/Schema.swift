// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a value of an object must look like: the one description from which objects are validated and defaulted and from which the
/// CustomResourceDefinitions are written.
package struct Schema: Sendable {
    /// How a list is merged and compared by the API server.
    package enum ListKind: Sendable, Hashable {
        /// Texts that each stand once.
        case set
        /// Objects told apart by that member.
        case map(key: String)
        /// Replaced as a whole.
        case atomic
    }

    /// The form of a value.
    package indirect enum Shape: Sendable {
        /// An object with these members and no others.
        case object([Property])
        /// A list of `min` to `max` elements.
        case list(of: Schema, min: Int, max: Int, kind: ListKind)
        /// An object whose member names are free.
        case map(of: Schema, max: Int)
        /// A text, in Unicode scalars as the API server counts.
        case text(TextRule)
        /// An integer.
        case integer(min: Int64?, max: Int64?)
        case boolean
        /// An object that is taken as it is.
        case anyObject
        /// A value of any form.
        case anything
        /// Credits: an integer, or a decimal text with up to six decimals.
        case credits
    }

    /// The bounds of a text.
    package struct TextRule: Sendable {
        package var min: Int
        package var max: Int
        package var pattern: TextPattern?
        /// One of these, when there are any.
        package var oneOf: [String]
        /// Whether it is an RFC 3339 time.
        package var isInstant: Bool
    }

    /// The form of the value.
    package var shape: Shape
    /// What the field means, in one sentence.
    package var description: String?
    /// What an absent value becomes.
    package var defaultValue: JSONValue?
    /// What must hold beyond the form.
    package var rules: [Rule]
    /// What must hold between the stored value and its replacement.
    package var transitions: [Transition]

    init(_ shape: Shape, description: String? = nil) {
        self.shape = shape
        self.description = description
        rules = []
        transitions = []
    }
}

/// One member of an object.
package struct Property: Sendable {
    package let name: String
    package let isRequired: Bool
    package let schema: Schema

    init(_ name: String, _ schema: Schema, required: Bool = false) {
        self.name = name
        self.schema = schema
        isRequired = required
    }
}

/// A condition over one value.
package struct Rule: Sendable {
    /// The same condition in CEL; nil when CEL cannot say it, and then it is checked here only.
    package let expression: String?
    /// What is wanted.
    package let message: String
    /// The member that the message is about, when it is not the value itself.
    package let member: String?
    /// Whether a value of the right form fulfils it.
    package let holds: @Sendable (JSONValue) -> Bool

    init(
        _ expression: String?, _ message: String, at member: String? = nil,
        holds: @escaping @Sendable (JSONValue) -> Bool
    ) {
        self.expression = expression
        self.message = message
        self.member = member
        self.holds = holds
    }
}

/// A condition over a change.
package struct Transition: Sendable {
    /// The condition in CEL.
    package let expression: String
    /// What is wanted.
    package let message: String
    /// The member that the message is about, when it is not the value itself.
    package let member: String?
    /// Whether the change from the first to the second value is allowed.
    package let holds: @Sendable (JSONValue, JSONValue) -> Bool

    init(
        _ expression: String, _ message: String, at member: String? = nil,
        holds: @escaping @Sendable (JSONValue, JSONValue) -> Bool
    ) {
        self.expression = expression
        self.message = message
        self.member = member
        self.holds = holds
    }

    /// A value that stays as it was set.
    static let immutable = Transition("self == oldSelf", "cannot be changed; make another object instead") { $0 == $1 }
}
