// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import ResourceModel

/// Checks what the schema cannot: route lists as a whole, and the rules of AuthConfigs.
struct PolicyCheck {
    private(set) var problems: [ManifestProblem] = []
    /// Of routes that can never match or that cross each other.
    private let severity: ManifestProblem.Severity

    private static let routesKey = "routes.yaml"

    init(_ files: [FileSnapshot], strict: Bool) {
        severity = strict ? .error : .warning
        for file in files {
            for entry in file.objects {
                switch entry.decoded.object {
                case .authConfig(let config): check(config, entry, file.path)
                case .configMap(let map): check(map, entry, file.path)
                default: break
                }
            }
        }
    }

    private mutating func check(_ config: AuthConfig, _ entry: FileObject, _ file: String) {
        let policy = FieldPath([.member("spec"), .member("policy")])
        let owner = (key: config.key, entry: entry, file: file)
        let rules = policy.member("rules")
        do throws(RuleSetError) {
            _ = try RuleSet(document: config.spec.policy.rules)
        } catch {
            for problem in error.problems { report(.error, owner, rules.appending(problem.path), problem.message) }
        }
        let routes = policy.member("routes")
        do throws(RouteTableError) {
            let table = try RouteTable(document: .array(config.spec.policy.routes), source: .authConfig)
            warn(of: table, owner) { routes.element($0) }
        } catch {
            for problem in error.problems {
                let rule = problem.index.map { routes.element($0) } ?? routes
                let place = problem.member.isEmpty ? rule : rule.member(problem.member)
                report(.error, owner, place, problem.message)
            }
        }
    }

    /// A ConfigMap that holds a route table is the policy's.
    private mutating func check(_ map: ConfigMap, _ entry: FileObject, _ file: String) {
        let bytes = map.data[Self.routesKey].map { Array($0.utf8) } ?? map.binaryData[Self.routesKey]
        guard let bytes else { return }
        let owner = (key: map.key, entry: entry, file: file)
        let member = map.data[Self.routesKey] == nil ? "binaryData" : "data"
        let place = FieldPath([.member(member), .member(Self.routesKey)])
        do {
            let documents = try YAMLReader.parse(bytes)
            guard let document = documents.first, documents.count == 1 else {
                return report(.error, owner, place, "must hold exactly one document, not \(documents.count)")
            }
            warn(of: try RouteTable(document: document.value), owner) { _ in place }
        } catch let fault as YAMLFault {
            report(.error, owner, place, "line \(fault.line): \(fault.message)")
        } catch let error as RouteTableError {
            for problem in error.problems { report(.error, owner, place, problem.text) }
        } catch {
            report(.error, owner, place, "cannot be read: \(error)")
        }
    }

    private mutating func warn(
        of table: RouteTable, _ owner: (key: ObjectKey, entry: FileObject, file: String),
        place: (_ rule: Int) -> FieldPath
    ) {
        for route in table.unreachable { report(severity, owner, place(route.rule), route.message) }
        for overlap in table.overlaps { report(severity, owner, place(overlap.later), overlap.message) }
    }

    private mutating func report(
        _ severity: ManifestProblem.Severity, _ owner: (key: ObjectKey, entry: FileObject, file: String),
        _ place: FieldPath, _ message: String
    ) {
        let document = owner.entry.document
        problems.append(
            ManifestProblem(
                severity, file: owner.file, line: document.lines.line(of: place, in: document.value),
                object: owner.key.description, field: place.description, message: message))
    }
}

extension FieldPath {
    /// This path with one below it as text, such as `[2].when[0].value`.
    fileprivate func appending(_ text: String) -> FieldPath {
        var path = self
        for part in text.split(whereSeparator: { ".[]".contains($0) }) {
            path = Int(part).map { path.element($0) } ?? path.member(String(part))
        }
        return path
    }
}
