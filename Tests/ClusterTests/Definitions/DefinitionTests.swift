// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport
internal import Testing

extension RealCluster {
    /// The four definitions on a real server, by the real kubectl.
    @Suite struct DefinitionTests {
        @Test func installs() async throws {
            let here = try RealCluster.plane()
            for kind in ResourceKind.own {
                #expect(here.installed.contains("\(kind.plural).tollgate.dev created"), "\(here.installed)")
                let text = try await here.plane.kubectlOutput([
                    "get", "crd", "\(kind.plural).tollgate.dev", "-o", "json",
                ])
                let conditions = try JSONParser.parse(text: text)["status"]?["conditions"]?.arrayValue ?? []
                let states = Dictionary(
                    conditions.map { ($0["type"]?.stringValue ?? "", $0["status"]?.stringValue ?? "") }
                ) { $1 }
                #expect(states["Established"] == "True" && states["NamesAccepted"] == "True", "\(states)")
                #expect(states["NonStructuralSchema"] == nil, "\(states)")
            }
        }

        @Test func refusesEveryInvalidObjectAndNamesTheField() async throws {
            let here = try RealCluster.plane()
            let namespace = try await here.makeNamespace("invalid")
            let all = InvalidObject.all
            #expect(all.count >= 40 && Set(all.map(\.kind)).count == 4)
            for (index, object) in all.enumerated() {
                let document = try object.document(name: "bad-\(index)", namespace: namespace)
                _ = try here.write(document.jsonText, to: "invalid/\(index).json")
            }
            // The server decides: kubectl is told to check nothing itself.
            let (status, output) = try await here.plane.kubectl([
                "create", "--validate=false", "-f", here.plane.folder.path("invalid"),
            ])
            #expect(status != 0)
            #expect(
                !output.contains(" created"),
                "accepted: \(output.split(separator: "\n").filter { $0.hasSuffix(" created") })")
            for (index, object) in all.enumerated() {
                let mark = "\"bad-\(index)\" is invalid:"
                guard let start = output.range(of: mark)?.upperBound else {
                    Issue.record("not refused as invalid: \(object)")
                    continue
                }
                let end = output.range(of: "\nError from server", range: start..<output.endIndex)?.lowerBound
                let message = String(output[start..<(end ?? output.endIndex)])
                #expect(object.isNamed(in: message), "\(object): \(message)")
            }
        }

        @Test func acceptsTheSamples() async throws {
            let here = try RealCluster.plane()
            _ = try await here.plane.kubectl(["create", "namespace", "acme"])
            let samples = Repository.root.appending(path: "manifests/samples").path
            let output = try await here.plane.kubectlOutput([
                "apply", "--validate=strict", "-f", samples,
            ])
            for line in [
                "authconfig.tollgate.dev/api", "servicetoken.tollgate.dev/nightly", "subscription.tollgate.dev/acme",
            ] {
                #expect(output.contains(line), "\(output)")
            }
            let tool = try here.write(
                #"{"apiVersion":"tollgate.dev/v1alpha1","kind":"ToolManifest","metadata":{"name":"t","namespace":"acme"},"spec":{"manifest":{"any":{"thing":null,"n":1.50}},"executable":"reports/build"}}"#,
                to: "tool.json")
            // `kubectl apply` itself leaves null members out; whoever signed some creates or applies on the server's side.
            _ = try await here.plane.kubectlOutput(["create", "-f", tool])
            let stored = try await here.plane.kubectlOutput(["get", "tgtool", "t", "-n", "acme", "-o", "json"])
            let manifest = try JSONParser.parse(text: stored)["spec"]?["manifest"]
            #expect(manifest?["any"]?["thing"] == .null, "a signed document is kept as it is: \(stored)")
        }

        /// As the specification of the kinds lists them; the second list has the columns of `-o wide`.
        static let columns: [(ResourceKind, [String], [String])] = [
            (.authConfig, ["HOSTS", "MODE", "READY", "AGE"], ["LINKED", "REASON"]),
            (
                .serviceToken, ["TENANT", "IDENTIFIER", "EXPIRES", "NEXT ROTATION", "READY", "AGE"],
                ["SECRET", "REASON"]
            ),
            (.subscription, ["TENANT", "PLAN", "STATE", "REMAINING", "PERIOD END", "READY", "AGE"], []),
            (.toolManifest, ["TOOL", "VERSION", "KEY", "VERIFIED", "READY", "AGE"], []),
        ]

        @Test func showsTheDocumentedColumns() async throws {
            let here = try RealCluster.plane()
            let namespace = try await here.makeNamespace("columns")
            let specs: [(ResourceKind, String)] = [
                (.authConfig, #"{"hosts":["columns.example"],"mode":"required"}"#),
                (.serviceToken, #"{"secretName":"column-secret","tenant":"column-tenant"}"#),
                (.subscription, #"{"tenant":"column-tenant","plan":"pro"}"#), (.toolManifest, #"{"manifest":{}}"#),
            ]
            for (kind, spec) in specs {
                let document = try InvalidObject(kind, "", spec).document(name: "shown", namespace: namespace)
                let file = try here.write(document.jsonText, to: "columns/\(kind.plural).json")
                _ = try await here.plane.kubectlOutput(["create", "-f", file])
                let status: JSONValue = [
                    "status": [
                        "conditions": [
                            ["type": "Ready", "status": "True", "reason": "AllGood"],
                            ["type": "Verified", "status": "True", "reason": "Signed"],
                        ]
                    ]
                ]
                _ = try await here.api.patch(
                    APIObjectReference(.of(kind), namespace: namespace, name: "shown"), subresource: "status",
                    .merge(status))
            }
            let all = try await here.plane.kubectlOutput(["get", "tollgate", "-A"])
            let wide = try await here.plane.kubectlOutput(["get", "tollgate", "-A", "-o", "wide"])
            for (kind, columns, more) in Self.columns {
                #expect(Self.headers(above: kind, in: all) == ["NAMESPACE", "NAME"] + columns, "\(all)")
                #expect(Self.headers(above: kind, in: wide) == ["NAMESPACE", "NAME"] + columns + more, "\(wide)")
            }
            #expect(all.contains("columns.example") && all.contains("column-tenant") && all.contains("True"))
            #expect(wide.contains("AllGood") && wide.contains("column-secret"))
            for name in ["tgauth", "tgtoken", "tgsub", "tgtool"] {
                let (status, output) = try await here.plane.kubectl(["get", name, "-n", namespace])
                #expect(status == 0 && output.contains("shown"), "\(name): \(output)")
            }
            let ready = try await here.plane.kubectl([
                "wait", "--for=condition=Ready", "--timeout=60s", "authconfig/shown", "-n", namespace,
            ])
            #expect(ready.status == 0, "\(ready.output)")
        }

        private static func headers(above kind: ResourceKind, in output: String) -> [String] {
            let lines = output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
            guard let row = lines.firstIndex(where: { $0.contains("\(kind.rawValue.lowercased()).tollgate.dev/") }),
                let head = lines[..<row].last(where: { $0.hasPrefix("NAMESPACE") })
            else { return [] }
            // Columns are two or more blanks apart, names of columns hold single ones.
            return head.split(separator: /\ {2,}/).map { String($0).trimmingCharacters(in: .whitespaces) }
        }

        static let transitions: [(kind: ResourceKind, old: String, change: String, named: [String])] = [
            (.serviceToken, #"{"secretName":"a"}"#, #"{"secretName":"b"}"#, ["spec.secretName", "cannot be changed"]),
            (
                .serviceToken, #"{"secretName":"a","tenant":"t"}"#, #"{"tenant":"u"}"#,
                ["spec", "tenant cannot be changed"]
            ),
            (
                .serviceToken, #"{"secretName":"a","tenant":"t"}"#, #"{"tenant":null}"#,
                ["spec", "tenant cannot be changed"]
            ),
            (.serviceToken, #"{"secretName":"a"}"#, #"{"tenant":"t"}"#, ["spec", "tenant cannot be changed"]),
            (
                .serviceToken, #"{"secretName":"a","revoked":true}"#, #"{"revoked":false}"#,
                ["spec", "revoked cannot be taken back"]
            ),
            (
                .serviceToken, #"{"secretName":"a","revoked":true}"#, #"{"revoked":null}"#,
                ["spec", "revoked cannot be taken back"]
            ),
            (.subscription, #"{"tenant":"a","plan":"t"}"#, #"{"tenant":"b"}"#, ["spec.tenant", "cannot be changed"]),
            (
                .subscription, #"{"tenant":"a","plan":"t","grants":[{"key":"k","credits":1,"reason":"r"}]}"#,
                #"{"grants":[{"key":"j","credits":5,"reason":"r"},{"key":"k","credits":2,"reason":"r"}]}"#,
                ["spec.grants", "credits cannot be changed"]
            ),
            (
                .subscription, #"{"tenant":"a","plan":"t","stripe":{"customerId":"cus_1"}}"#,
                #"{"stripe":{"customerId":"cus_2"}}"#, ["spec.stripe.customerId", "cannot be changed"]
            ),
            (.serviceToken, #"{"secretName":"a"}"#, #"{"revoked":true,"scopes":["x"]}"#, []),
            (
                .subscription, #"{"tenant":"a","plan":"t","stripe":{"customerId":"cus_1"}}"#,
                #"{"stripe":{"customerId":null}}"#, []
            ),
            (
                .subscription, #"{"tenant":"a","plan":"t","grants":[{"key":"k","credits":1,"reason":"r"}]}"#,
                #"{"grants":[{"key":"k","credits":1,"reason":"another"},{"key":"l","credits":2,"reason":"r"}]}"#, []
            ),
        ]

        @Test func refusesForbiddenChanges() async throws {
            let here = try RealCluster.plane()
            let namespace = try await here.makeNamespace("changes")
            for (index, row) in Self.transitions.enumerated() {
                let name = "changed-\(index)"
                let document = try InvalidObject(row.kind, "", row.old).document(name: name, namespace: namespace)
                let file = try here.write(document.jsonText, to: "changes/\(index).json")
                _ = try await here.plane.kubectlOutput(["create", "-f", file])
                let (status, output) = try await here.plane.kubectl([
                    "patch", row.kind.plural, name, "-n", namespace, "--type=merge", "-p", "{\"spec\":\(row.change)}",
                ])
                #expect((status == 0) == row.named.isEmpty, "\(row.old) to \(row.change): \(output)")
                for text in row.named { #expect(output.contains(text), "\(row.change): \(output)") }
            }
        }
    }
}

/// What the server refuses, our own reader refuses too.
@Suite struct InvalidObjectTests {
    @Test(arguments: InvalidObject.all)
    func isRefusedByTheReaderWithTheSameField(_ object: InvalidObject) throws {
        let decoded = ResourceDecoder.decode(try object.document(name: "x", namespace: "acme"))
        #expect(decoded.object == nil)
        #expect(decoded.problems.map(\.path).contains(object.field), "\(decoded.problems)")
        #expect(decoded.problems.allSatisfy { !$0.message.isEmpty })
    }
}
