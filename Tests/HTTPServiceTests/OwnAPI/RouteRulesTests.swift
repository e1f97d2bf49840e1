// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import HTTPService
internal import TestSupport
internal import Testing

@Suite struct RouteRulesTests {
    /// Every route that is served has a rule in the route table, so that none of them is refused as unmapped.
    @Test func everyOwnRouteHasARule() throws {
        let text = try String(contentsOf: Repository.root.appending(path: "policies/routes.yaml"), encoding: .utf8)
        let rules = text.split(separator: "\n").filter { $0.contains("- {methods:") }
        let doors = [
            ("POST", "/v1/decisions"), ("POST", "/v1/decisions/batch"), ("POST", "/v1/decisions/explain"),
            ("GET", "/health"), ("GET", "/healthz"), ("GET", "/livez"), ("GET", "/readyz"),
        ]
        let routes =
            Gate().responder.ownRoutes + ProjectGate().gate.responder.ownRoutes
            + StreamGate().gate.responder.ownRoutes + (try BillingGate().gate.responder.ownRoutes)
        for (method, pattern) in routes.map({ ($0.method, $0.pattern) }) + doors {
            let found = rules.contains { rule in
                guard let open = rule.range(of: "path: \"")?.upperBound, let close = rule[open...].firstIndex(of: "\"")
                else {
                    return false
                }
                let path = String(rule[open..<close])
                let methods = rule.prefix(while: { $0 != "]" })
                guard methods.contains(method) || methods.contains("\"*\"") else { return false }
                return path == pattern || path.hasSuffix("/**") && (pattern + "/").hasPrefix(path.dropLast(2))
            }
            #expect(found, "\(method) \(pattern)")
        }
    }
}
