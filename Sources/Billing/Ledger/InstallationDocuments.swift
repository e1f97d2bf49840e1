// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Documents of the installation itself, which belong to no account and which every replica reads.
package protocol InstallationDocuments: Sendable {
    /// The document of a name as it was put last; nil where there is none.
    ///
    /// - Throws: `BillingStoreError`.
    func installationDocument(_ name: String) async throws -> String?

    /// Puts documents, all of them or none; durable when this returns.
    ///
    /// - Throws: `BillingStoreError`.
    func putInstallationDocuments(_ documents: [(name: String, document: String)]) async throws
}
