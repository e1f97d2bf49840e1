// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import Logging

extension ServerAssembly {
    /// What the key of a demo account may do.
    private static let demoScopes = ["billing:read", "billing:write", "decisions:evaluate", "sessions:read"]

    /// Gives the demo accounts their month of usage.
    ///
    /// - Throws: `StartupProblem`.
    static func seed(
        _ accounts: [DevnetAccount], settings: TollgateSettings, stores: StoreSet, limits: LimitParts,
        clock: any WallClock, logger: Logger
    ) async throws {
        guard let ledger = stores.ledger else { return }
        let seed = DevnetSeed(
            ledger: ledger, plans: limits.plans, prices: limits.prices, settings: settings.accountSettings,
            now: clock.now())
        do throws(Refusal) {
            try await seed.run(accounts)
        } catch {
            throw StartupProblem(
                "TOLLGATE_DEVNET: the demo accounts cannot be made with these plans and prices: \(error.message)")
        }
        logger.notice("demo accounts are ready", metadata: ["accounts": "\(accounts.count)"])
    }

    /// Makes one API key for each demo account and shows it, this once.
    ///
    /// - Throws: `StartupProblem`.
    static func showDemoKeys(
        _ accounts: [DevnetAccount], keys: APIKeyRegistry, listen: ListenAddress, isTLS: Bool
    ) async throws {
        let caller = TokenCaller(
            principal: AdminCredential(token: Redacted("devnet"), isGenerated: true).principal, admin: true
        ) { _ in true }
        var lines: [String] = []
        for account in accounts {
            let request = CreateAPIKey(name: "demo", scopes: demoScopes, accountID: account.name)
            do throws(Refusal) {
                guard let key = try await keys.create(request, caller: caller).key else { continue }
                lines.append("tollgate devnet: API key of \(account.name) (plan \(account.plan.name)): \(key.revealed)")
            } catch {
                throw StartupProblem("TOLLGATE_DEVNET: no API key for \(account.name): \(error.message)")
            }
        }
        let host = listen.host == "0.0.0.0" || listen.host == "::" ? "127.0.0.1" : listen.host
        lines.append(
            "tollgate devnet: try  curl -H 'X-API-Key: KEY' \(isTLS ? "https" : "http")://\(host):\(listen.port)/v1/billing/usage"
        )
        // Shown once, outside the logger: whoever keeps logs must not keep these.
        DescriptorOutput.standardError.write(Array(lines.map { $0 + "\n" }.joined().utf8))
    }
}
