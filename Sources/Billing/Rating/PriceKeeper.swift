// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
internal import Synchronization

/// Keeps the price list that a platform admin has put, with the ledger, so that it survives a restart and every replica follows it.
///
/// Where the settings name a file of prices, the file holds: nothing is put, and what was put before is kept but not in force.
package final class PriceKeeper: Sendable {
    /// Why a kept list cannot be in force.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    private static let list = "prices"
    /// Tells one list from the next in few bytes, because it is looked at every few seconds.
    private static let revision = "prices.revision"

    private let book: PriceBook
    private let plans: PlanBook
    private let documents: any InstallationDocuments
    private let isFileInForce: Bool
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger
    /// Revision of the list that was looked at last, in force or refused; nil = none was ever put.
    private let seen = Mutex<String?>(nil)

    /// - Parameters:
    ///   - book: what is rated with; it begins with the shipped list or that of the file.
    ///   - isFileInForce: whether the settings name a file of prices.
    package init(
        book: PriceBook, plans: PlanBook, documents: any InstallationDocuments, isFileInForce: Bool,
        clock: any WallClock, random: any RandomSource, logger: Logger
    ) {
        self.book = book
        self.plans = plans
        self.documents = documents
        self.isFileInForce = isFileInForce
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Puts the kept list in force, before anything is rated.
    ///
    /// - Throws: `Fault` where it is none any more, as with a plan catalogue that has fewer model tiers; `BillingStoreError`.
    package func load() async throws {
        guard !isFileInForce else {
            if try await documents.installationDocument(Self.revision) != nil {
                logger.notice(
                    "a price list was put over the API, and is not in force: the file of the settings is",
                    metadata: [LogKeys.setting: "TOLLGATE_BILLING_PRICES_FILE"])
            }
            return
        }
        guard let found = try await read() else { return }
        book.replace(try found.prices.get())
        seen.withLock { $0 = found.revision }
    }

    /// Puts the list in force that another replica was given, where there is a newer one. One that cannot be in force is logged, and the
    /// last good one stays.
    ///
    /// - Throws: `BillingStoreError`.
    package func follow() async throws {
        guard !isFileInForce, let now = try await documents.installationDocument(Self.revision),
            now != seen.withLock({ $0 }), let found = try await read()
        else { return }
        seen.withLock { $0 = found.revision }
        switch found.prices {
        case .success(let prices):
            book.replace(prices)
            logger.notice("another price list is in force", metadata: ["version": "\(prices.version)"])
        case .failure(let fault):
            logger.error(
                "a price list is refused, the last good one stays in force", metadata: [LogKeys.reason: "\(fault)"])
        }
    }

    /// Keeps a list that was read and is valid, and puts it in force: here when this returns, at other replicas within seconds.
    ///
    /// - Parameter document: what it was read from.
    /// - Throws: `billing.prices_read_only` where the settings name a file; `billing.unavailable`.
    package func put(_ prices: PriceList, document: JSONValue) async throws(Refusal) {
        guard !isFileInForce else {
            throw Refusal(
                .billingPricesReadOnly,
                message: "The price list is that of TOLLGATE_BILLING_PRICES_FILE: change the file",
                details: ["setting": "TOLLGATE_BILLING_PRICES_FILE"])
        }
        let revision = UUIDv7.make(at: clock.now(), random: random)
        let kept: JSONValue = ["revision": .string(revision), "prices": document]
        do {
            try await documents.putInstallationDocuments([
                (Self.list, kept.jsonText), (Self.revision, revision),
            ])
        } catch {
            logger.error("a price list cannot be kept", metadata: [LogKeys.error: "\(error)"])
            throw Refusal(.billingUnavailable)
        }
        book.replace(prices)
        seen.withLock { $0 = revision }
    }

    private func read() async throws -> (revision: String, prices: Result<PriceList, Fault>)? {
        guard let text = try await documents.installationDocument(Self.list) else { return nil }
        let json = try JSONParser.parse(text: text)
        guard let revision = json["revision"]?.stringValue, let document = json["prices"] else {
            throw BillingStoreError(.unreadable, "the kept price list cannot be read")
        }
        do {
            return (revision, .success(try PriceList.read(document, tiers: plans.catalogue.modelTiers)))
        } catch {
            return (revision, .failure(Fault(description: "\(error)")))
        }
    }
}
