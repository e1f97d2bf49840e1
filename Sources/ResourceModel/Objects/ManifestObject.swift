// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An object of any kind that Tollgate reads from files.
///
/// Indirect: thousands of them are kept, and the largest kind is several times the size of the smallest.
package indirect enum ManifestObject: Sendable, Equatable {
    case authConfig(AuthConfig)
    case serviceToken(ServiceToken)
    case subscription(Subscription)
    case toolManifest(ToolManifest)
    case secret(Secret)
    case configMap(ConfigMap)

    /// Which object this is.
    package var key: ObjectKey {
        switch self {
        case .authConfig(let object): object.key
        case .serviceToken(let object): object.key
        case .subscription(let object): object.key
        case .toolManifest(let object): object.key
        case .secret(let object): object.key
        case .configMap(let object): object.key
        }
    }

    /// The object's metadata.
    package var metadata: ObjectMeta {
        get {
            switch self {
            case .authConfig(let object): object.metadata
            case .serviceToken(let object): object.metadata
            case .subscription(let object): object.metadata
            case .toolManifest(let object): object.metadata
            case .secret(let object): object.metadata
            case .configMap(let object): object.metadata
            }
        }
        set {
            switch self {
            case .authConfig(var object):
                object.metadata = newValue
                self = .authConfig(object)
            case .serviceToken(var object):
                object.metadata = newValue
                self = .serviceToken(object)
            case .subscription(var object):
                object.metadata = newValue
                self = .subscription(object)
            case .toolManifest(var object):
                object.metadata = newValue
                self = .toolManifest(object)
            case .secret(var object):
                object.metadata = newValue
                self = .secret(object)
            case .configMap(var object):
                object.metadata = newValue
                self = .configMap(object)
            }
        }
    }

    /// The checked `spec` with its defaults; nil for Secret and ConfigMap.
    package var specDocument: JSONValue? {
        switch self {
        case .authConfig(let object): object.specDocument
        case .serviceToken(let object): object.specDocument
        case .subscription(let object): object.specDocument
        case .toolManifest(let object): object.specDocument
        case .secret, .configMap: nil
        }
    }

    /// The same object without the documents that it was read from, which only files are compared by.
    package var withoutDocuments: ManifestObject {
        switch self {
        case .authConfig(let object): .authConfig(object.withoutDocuments)
        case .serviceToken(let object): .serviceToken(object.withoutDocuments)
        case .subscription(let object): .subscription(object.withoutDocuments)
        case .toolManifest(let object): .toolManifest(object.withoutDocuments)
        case .secret, .configMap: self
        }
    }

    /// The object as one of the four kinds, when it is of that kind.
    package func custom<Spec: ResourceSpec>(_: Spec.Type) -> CustomResource<Spec>? {
        switch self {
        case .authConfig(let object): object as? CustomResource<Spec>
        case .serviceToken(let object): object as? CustomResource<Spec>
        case .subscription(let object): object as? CustomResource<Spec>
        case .toolManifest(let object): object as? CustomResource<Spec>
        case .secret, .configMap: nil
        }
    }

    /// Everything that forbids to replace `old` by `new`, two versions of one object; empty when the change is allowed.
    package static func validateUpdate(old: ManifestObject, new: ManifestObject) -> [FieldProblem] {
        switch (old, new) {
        case (.authConfig(let old), .authConfig(let new)): AuthConfig.validateUpdate(old: old, new: new)
        case (.serviceToken(let old), .serviceToken(let new)): ServiceToken.validateUpdate(old: old, new: new)
        case (.subscription(let old), .subscription(let new)): Subscription.validateUpdate(old: old, new: new)
        case (.toolManifest(let old), .toolManifest(let new)): ToolManifest.validateUpdate(old: old, new: new)
        default: []
        }
    }
}
