// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

extension BillingLedgerContract {
    /// Documents of the installation.
    static let installation: [Behaviour] = [
        Behaviour("installation: documents are every process's", processes: 2) { try await $0.keepsDocuments() },
        Behaviour("installation: documents are no account's") { try await $0.hidesDocuments() },
    ]

    private func keepsDocuments() async throws {
        try hold(try await ledger.installationDocument("prices") == nil)
        try await ledger.putInstallationDocuments([("prices", #"{"ä":1}"#), ("other", "{}")])
        try same(try await ledgers[1].installationDocument("prices"), #"{"ä":1}"#)
        try await ledgers[1].putInstallationDocuments([("prices", "[2]")])
        try same(try await ledger.installationDocument("prices"), "[2]")
        try same(try await ledger.installationDocument("other"), "{}")
        try await ledger.putInstallationDocuments([])
        try hold(try await ledger.installationDocument("gone") == nil)
    }

    private func hidesDocuments() async throws {
        try await ledger.putInstallationDocuments([("prices", "{}")])
        try await write { try $0.put(NamedRow(kind: .meterReport, name: "prices", document: "[]")) }
        try same(try await ledger.installationDocument("prices"), "{}")
        try await ledger.read("acme") { reader in
            for kind in NamedRow.Kind.allCases where kind != .meterReport {
                try hold(try reader.named(kind, "prices") == nil)
            }
        }
        try same(try await ledger.accounts(after: nil, limit: 9).count, 0)
    }
}
