// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The texts of the two documents as a source has them. A text that is not there is the built-in copy's.
package struct PolicyTexts: Sendable, Hashable {
    /// Bytes that one document may have.
    package static let maximumBytes = 1 << 20

    /// `data.json`
    package var roles: [UInt8]?
    /// `routes.yaml`
    package var routes: [UInt8]?

    package init(roles: [UInt8]? = nil, routes: [UInt8]? = nil) {
        self.roles = roles
        self.routes = routes
    }

    /// The copy that the binary carries.
    package static let builtIn = PolicyTexts(
        roles: Array(BuiltInPolicy.rolesJSON.utf8), routes: Array(BuiltInPolicy.routesYAML.utf8))

    /// Reads both texts, the built-in copy's where one is not there.
    ///
    /// - Parameter readYAML: reads the one document of a YAML text; what it throws is told as the document's problem.
    /// - Throws: the problems of both texts at once.
    package func parsed(
        readYAML: (_ text: [UInt8]) throws(PolicyTextFault) -> JSONValue
    ) throws(PolicyDataError) -> PolicyDocuments {
        var problems: [PolicyProblem] = []
        let rolesText = roles ?? Self.builtIn.roles ?? []
        let routesText = routes ?? Self.builtIn.routes ?? []
        var documents = PolicyDocuments(roles: .null, routes: .null)
        do throws(PolicyTextFault) {
            documents.roles = try Self.bounded(rolesText, Self.readJSON)
        } catch {
            problems.append(PolicyProblem(.roles, error.message))
        }
        do throws(PolicyTextFault) {
            documents.routes = try Self.bounded(routesText, readYAML)
        } catch {
            problems.append(PolicyProblem(.routes, error.message))
        }
        guard problems.isEmpty else { throw PolicyDataError(problems) }
        return documents
    }

    private static func bounded(
        _ text: [UInt8], _ read: ([UInt8]) throws(PolicyTextFault) -> JSONValue
    ) throws(PolicyTextFault) -> JSONValue {
        guard text.count <= maximumBytes else {
            throw PolicyTextFault("has \(text.count) bytes; at most \(maximumBytes) are read")
        }
        return try read(text)
    }

    private static func readJSON(_ text: [UInt8]) throws(PolicyTextFault) -> JSONValue {
        do throws(JSONParser.Failure) {
            return try JSONParser.parse(text)
        } catch {
            let line = text.prefix(error.offset).count { $0 == 0x0A } + 1
            throw PolicyTextFault("line \(line): is not JSON: \(error)")
        }
    }
}

/// Why a text cannot be read as the document it should be.
package struct PolicyTextFault: Error, Sendable, Hashable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
