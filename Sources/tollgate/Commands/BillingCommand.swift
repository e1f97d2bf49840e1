// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Authentication
internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics

/// `tollgate billing …`
struct BillingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "billing", abstract: "Look after plans and prices; needs no running server.",
        subcommands: [BillingCheckCommand.self])
}

/// `tollgate billing check`
struct BillingCheckCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that every price of the plan catalogue exists at Stripe and says the same.",
        discussion: """
            The catalogue is that of TOLLGATE_BILLING_PLANS_FILE, else the shipped one; STRIPE_API_KEY is the key.
            Compared are amount, currency and interval. Exit status: 0 the same, 1 not.
            """)

    @Option(name: .shortAndLong, help: "table, json or yaml (default: table on a terminal, else json).")
    var output: OutputFormat?

    func run(in context: CommandContext) async throws {
        let format = output ?? (context.outputIsTerminal ? .table : .json)
        let (catalogue, provider) = try Self.means(in: context, format)
        let differences: [CatalogueCheck.Difference]
        do throws(Refusal) {
            differences = try await CatalogueCheck.differences(catalogue, at: provider)
        } catch {
            let code = error.details?["stripe_code"]?.stringValue.map { " (\($0))" } ?? ""
            throw CommandFailure(
                .unavailable, "Stripe cannot be asked: \(error.message)\(code)", format: format)
        }
        show(differences, of: CatalogueCheck.count(catalogue), format, context)
        guard !differences.isEmpty else { return }
        throw CommandFailure(
            .otherFault, differences.count == 1 ? "1 difference" : "\(differences.count) differences",
            format: format)
    }

    private func show(
        _ differences: [CatalogueCheck.Difference], of count: Int, _ format: OutputFormat, _ context: CommandContext
    ) {
        guard format == .table else {
            let rows = differences.map { found -> JSONValue in
                [
                    "item": .string(found.item), "price": .string(found.price), "what": .string(found.what),
                    "catalogue": .string(found.catalogue), "stripe": .string(found.provider),
                ]
            }
            return context.output.line(
                format.text(of: ["prices": .int(Int64(count)), "differences": .array(rows)]))
        }
        guard !differences.isEmpty else {
            return context.output.line("\(count) prices: each is at Stripe as the catalogue says")
        }
        var table = TextTable(["ITEM", "PRICE", "WHAT", "CATALOGUE", "STRIPE"])
        for found in differences {
            table.add([
                found.item, found.price, found.what, Self.amount(found.catalogue, found),
                Self.amount(found.provider, found),
            ])
        }
        context.output.line(table.text)
    }

    /// Amounts in dollars; everything else as it is.
    private static func amount(_ text: String, _ found: CatalogueCheck.Difference) -> String {
        guard found.what == "amount", let micro = Int64(text) else { return text }
        return MicroText.dollars(micro)
    }

    /// By the settings of the process.
    private static func means(
        in context: CommandContext, _ format: OutputFormat
    ) throws -> (PlanCatalogue, StripeClient) {
        var reader = SettingsReader(SettingsSources(environment: context.environment))
        let files = TollgateSettings.plans(&reader, environment: context.environment, host: context.host)
        let access = TollgateSettings.stripe(&reader)
        let egress = reader.optional(SettingsCatalog.egressAllow) ?? []
        guard reader.problems.isEmpty else { throw SettingsError(problems: reader.problems) }
        guard let key = access.apiKey else {
            throw CommandFailure(
                .usage, "no key to Stripe: set STRIPE_API_KEY, or STRIPE_API_KEY_FILE to a file with it",
                format: format)
        }
        let catalogue: PlanCatalogue
        do throws(StartupProblem) {
            catalogue = try CatalogueLoader.plans.load(files.plansFile)
        } catch {
            throw CommandFailure(.otherFault, error.description, format: format)
        }
        do {
            let settings = try StripeSettings(
                base: access.base.description, version: access.version,
                egress: try EgressRules(allowing: egress.map { "\($0)" }))
            return (
                catalogue,
                StripeClient(
                    settings: settings, key: { key }, clock: context.clock,
                    logger: Logger(label: "tollgate.billing") { _ in SwiftLogNoOpLogHandler() },
                    metricsFactory: NOOPMetricsHandler.instance)
            )
        } catch {
            throw CommandFailure(.usage, "STRIPE_API_BASE: \(access.base) may not be called: \(error)", format: format)
        }
    }
}
