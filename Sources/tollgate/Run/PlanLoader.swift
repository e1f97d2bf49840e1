// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import ManifestFiles

/// Reads the plan catalogue: the built-in copy, or a file.
enum PlanLoader {
    private static let maximumBytes = 1 << 20
    private static let setting = "TOLLGATE_BILLING_PLANS_FILE"

    /// The catalogue in the binary, or that of the file.
    ///
    /// - Throws: `StartupProblem` naming the file and everything that is wrong in it.
    static func load(_ file: String?) throws(StartupProblem) -> PlanCatalogue {
        guard let file else { return try parse(Array(BuiltInPlans.plansYAML.utf8), name: "plans/plans.yaml") }
        return try parse(try read(file), name: file)
    }

    /// The bytes of the file.
    static func read(_ file: String) throws(StartupProblem) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(file, limit: maximumBytes)
        } catch {
            throw StartupProblem("\(setting): \(error)")
        }
        guard let bytes else { throw StartupProblem("\(setting): there is no file \(file)") }
        return bytes
    }

    /// The catalogue that the text of a file holds.
    static func parse(_ bytes: [UInt8], name: String) throws(StartupProblem) -> PlanCatalogue {
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
            return try PlanCatalogue.read(document.value)
        } catch {
            throw StartupProblem("\(setting): \(name): \(error)")
        }
    }
}
