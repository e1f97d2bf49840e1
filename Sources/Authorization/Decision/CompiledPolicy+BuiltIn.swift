// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension CompiledPolicy {
    /// Compiles the data that the binary carries.
    ///
    /// - Parameter routesDocument: `BuiltInPolicy.routesYAML`, read by whoever owns the YAML reader.
    /// - Throws: as `compile`, or `builtInUnreadable`.
    package static func builtIn(
        routesDocument: JSONValue, settings: PolicySettings = PolicySettings()
    ) throws(PolicyError) -> CompiledPolicy {
        let roles: JSONValue
        do throws(JSONParser.Failure) {
            roles = try JSONParser.parse(text: BuiltInPolicy.rolesJSON)
        } catch {
            throw PolicyError(.builtInUnreadable, "The built-in role data cannot be read", cause: error)
        }
        return try compile(rolesDocument: roles, routesDocument: routesDocument, settings: settings)
    }
}
