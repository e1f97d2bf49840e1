// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
internal import ManifestFiles

/// Reads `routes.yaml`.
package enum PolicyYAML {
    /// The one document of the text.
    @Sendable package static func document(_ text: [UInt8]) throws(PolicyTextFault) -> JSONValue {
        let documents: [YAMLDocument]
        do throws(YAMLFault) {
            documents = try YAMLReader.parse(text)
        } catch {
            throw PolicyTextFault("line \(error.line): \(error.message)")
        }
        guard let first = documents.first, documents.count == 1 else {
            throw PolicyTextFault("must hold exactly one document, not \(documents.count)")
        }
        return first.value
    }
}
