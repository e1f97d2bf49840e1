// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import ManifestFiles

/// Reads the policy data: the built-in copy, or the files of a directory.
enum PolicyLoader {
    private static let maximumBytes = 1 << 20

    /// - Throws: `StartupProblem` naming the setting, the file and what is wrong in it.
    static func load(_ settings: PolicyDataSettings) throws -> CompiledPolicy {
        let defaults = PolicySettings(
            defaultUserRole: settings.defaultUserRole, defaultKeycloakTenantRole: settings.defaultKeycloakTenantRole,
            roleCheckEnabled: settings.roleCheckEnabled)
        let roles: JSONValue
        let routes: JSONValue
        if let directory = settings.directory {
            roles = try document("\(directory)/data.json")
            routes = try document("\(directory)/routes.yaml")
        } else {
            roles = try parse(Array(BuiltInPolicy.rolesJSON.utf8), name: "data.json")
            routes = try parse(Array(BuiltInPolicy.routesYAML.utf8), name: "routes.yaml")
        }
        do {
            return try CompiledPolicy.compile(rolesDocument: roles, routesDocument: routes, settings: defaults)
        } catch {
            let setting =
                error.code == .unknownDefaultRole
                ? "DEFAULT_USER_ROLE, DEFAULT_KEYCLOAK_TENANT_ROLE" : "TOLLGATE_POLICY_DIR"
            throw StartupProblem("\(setting): \(error.message)")
        }
    }

    private static func document(_ path: String) throws -> JSONValue {
        do {
            guard let bytes = try DurableFile.read(path, limit: maximumBytes) else {
                throw StartupProblem("TOLLGATE_POLICY_DIR: there is no \(path)")
            }
            return try parse(bytes, name: path)
        } catch let failure as DurableFile.Failure {
            throw StartupProblem("TOLLGATE_POLICY_DIR: \(failure)")
        }
    }

    private static func parse(_ bytes: [UInt8], name: String) throws -> JSONValue {
        do {
            let documents = try YAMLReader.parse(bytes)
            guard let first = documents.first, documents.count == 1 else {
                throw StartupProblem("TOLLGATE_POLICY_DIR: \(name) must hold exactly one document")
            }
            return first.value
        } catch let fault as YAMLFault {
            throw StartupProblem("TOLLGATE_POLICY_DIR: \(name): \(fault)")
        }
    }
}
