// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A Secret of Kubernetes: bytes by key.
package struct Secret: Sendable, Equatable {
    package var metadata: ObjectMeta
    /// The values of `data` (decoded) and `stringData`, which wins.
    package var data: [String: Redacted<[UInt8]>]
    /// `Opaque` unless the manifest says otherwise.
    package var type: String

    /// Takes the parts.
    package init(metadata: ObjectMeta, data: [String: Redacted<[UInt8]>], type: String = "Opaque") {
        self.metadata = metadata
        self.data = data
        self.type = type
    }

    /// Which object this is.
    package var key: ObjectKey { ObjectKey(kind: .secret, namespace: metadata.namespace, name: metadata.name) }
}

/// A ConfigMap of Kubernetes: texts and bytes by key.
package struct ConfigMap: Sendable, Equatable {
    package var metadata: ObjectMeta
    package var data: [String: String]
    package var binaryData: [String: [UInt8]]

    /// Takes the parts.
    package init(metadata: ObjectMeta, data: [String: String], binaryData: [String: [UInt8]] = [:]) {
        self.metadata = metadata
        self.data = data
        self.binaryData = binaryData
    }

    /// Which object this is.
    package var key: ObjectKey { ObjectKey(kind: .configMap, namespace: metadata.namespace, name: metadata.name) }
}
