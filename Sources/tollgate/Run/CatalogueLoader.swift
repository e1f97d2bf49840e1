// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import ManifestFiles

/// Reads a catalogue of billing: the built-in copy, or a file.
struct CatalogueLoader<Catalogue: Sendable & Hashable>: Sendable {
    /// The setting that names the file.
    let setting: String
    /// What log lines call it.
    let title: String
    private let builtIn: (name: String, text: String)
    private let reader: @Sendable (JSONValue) throws(CatalogueError) -> Catalogue

    private init(
        setting: String, title: String, builtIn: (name: String, text: String),
        reader: @escaping @Sendable (JSONValue) throws(CatalogueError) -> Catalogue
    ) {
        self.setting = setting
        self.title = title
        self.builtIn = builtIn
        self.reader = reader
    }

    /// The catalogue in the binary, or that of the file.
    ///
    /// - Throws: `StartupProblem` naming the file and everything that is wrong in it.
    func load(_ file: String?) throws(StartupProblem) -> Catalogue {
        guard let file else { return try parse(Array(builtIn.text.utf8), name: builtIn.name) }
        return try parse(try read(file), name: file)
    }

    /// The bytes of the file, at most a MiB.
    func read(_ file: String) throws(StartupProblem) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(file, limit: 1 << 20)
        } catch {
            throw StartupProblem("\(setting): \(error)")
        }
        guard let bytes else { throw StartupProblem("\(setting): there is no file \(file)") }
        return bytes
    }

    /// The catalogue that the text of a file holds.
    func parse(_ bytes: [UInt8], name: String) throws(StartupProblem) -> Catalogue {
        let documents: [YAMLDocument]
        do {
            documents = try YAMLReader.parse(bytes)
        } catch {
            throw StartupProblem("\(setting): \(name): \(error)")
        }
        guard let document = documents.first, documents.count == 1 else {
            throw StartupProblem("\(setting): \(name) must hold exactly one document")
        }
        do {
            return try reader(document.value)
        } catch {
            throw StartupProblem("\(setting): \(name): \(error)")
        }
    }
}

extension CatalogueLoader<PlanCatalogue> {
    /// The plans.
    static let plans = CatalogueLoader(
        setting: SettingsCatalog.plansFile.info.name, title: "plan catalogue",
        builtIn: ("plans/plans.yaml", BuiltInPlans.plansYAML)
    ) { (document) throws(CatalogueError) in try PlanCatalogue.read(document) }
}

extension CatalogueLoader<PriceList> {
    /// The prices.
    static let prices = CatalogueLoader(
        setting: SettingsCatalog.pricesFile.info.name, title: "price list",
        builtIn: ("plans/prices.yaml", BuiltInPrices.pricesYAML)
    ) { (document) throws(CatalogueError) in try PriceList.read(document) }
}

/// The catalogues of billing as they are read at the start.
struct BillingCatalogues {
    let plans: PlanCatalogue
    let prices: PriceList

    /// Reads both.
    ///
    /// - Throws: `StartupProblem` with what is wrong in either.
    init(plansFile: String?, pricesFile: String?) throws(StartupProblem) {
        var problems: [String] = []
        func read<Catalogue>(_ loader: CatalogueLoader<Catalogue>, _ file: String?) -> Catalogue? {
            do throws(StartupProblem) {
                return try loader.load(file)
            } catch {
                problems.append(error.description)
                return nil
            }
        }
        let plans = read(CatalogueLoader.plans, plansFile)
        let prices = read(CatalogueLoader.prices, pricesFile)
        guard let plans, let prices else { throw StartupProblem(problems.joined(separator: "; ")) }
        self.plans = plans
        self.prices = prices
    }
}
