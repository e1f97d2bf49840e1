// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import SelfManagement
internal import TestSupport
internal import Testing

@Suite struct DocumentTests {
    private let reference = APIObjectReference(.deployments, namespace: "own", name: "tollgate")

    @Test func appliesNothingButAnnotationsOfItsOwn() {
        var memory = HealingMemory()
        memory.restarts = 1
        let fields = OwnedFields(deployment: reference, memory: memory, restartedAt: "t", replicas: 3)
        #expect(
            fields.document(uid: "u", resourceVersion: "7") == [
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": [
                    "name": "tollgate", "namespace": "own", "uid": "u", "resourceVersion": "7",
                    "annotations": ["tollgate.dev/self-management": .string(memory.text)],
                ],
                "spec": ["template": ["metadata": ["annotations": ["tollgate.dev/restartedAt": "t"]]]],
            ])
    }

    @Test func saysFieldByFieldWhatDiffers() {
        let present: JSONValue = [
            "metadata": ["resourceVersion": "1", "labels": ["a": "1", "gone": "x"]],
            "spec": [
                "replicas": 1,
                "containers": [
                    ["name": "a", "image": "1", "env": [["name": "T", "value": "old"]]],
                    ["name": "b", "env": [["name": "S", "value": "secret"]]],
                ],
                "args": ["x"],
            ], "status": ["replicas": 1],
        ]
        let wanted: JSONValue = [
            "metadata": ["resourceVersion": "2", "labels": ["a": "2"]],
            "spec": [
                "replicas": 1,
                "containers": [["name": "a", "image": "2", "env": [["name": "T", "value": "new"]]]],
                "args": ["x", "y"],
            ], "status": ["replicas": 9],
        ]
        let drift = FieldDrift.between(present, and: wanted)
        #expect(
            drift.map(\.path) == [
                "metadata.labels.a", "metadata.labels.gone", "spec.containers[name=a].image",
                "spec.containers[name=a].env[name=T].value", "spec.containers[name=b]", "spec.args[1]",
            ])
        #expect(drift[2].before == "1" && drift[2].after == "2")
        // An environment can hold anything.
        #expect(drift[3].before == "(not shown)" && drift[3].after == "(not shown)")
        #expect(drift[4].before == "{name, env}" && drift[4].after == .null)
        #expect(FieldDrift.between(present, and: present).isEmpty)
    }

    @Test func takesOutWhatOthersHold() {
        let document: JSONValue = [
            "metadata": ["annotations": ["a.b/c": "1", "a": "2"]],
            "spec": [
                "replicas": 2,
                "containers": [
                    ["name": "x", "image": "1", "ports": [["containerPort": 80, "protocol": "TCP", "name": "p"]]]
                ],
            ],
        ]
        let rest = ForeignFields.removing(
            [
                ".spec.replicas", #".spec.containers[name="x"].image"#, ".metadata.annotations.a.b/c",
                #".spec.containers[name="x"].ports[containerPort=80,protocol="TCP"].name"#, ".nowhere", "[", ".spec[",
            ], from: document)
        #expect(
            rest == [
                "metadata": ["annotations": ["a": "2"]],
                "spec": ["containers": [["name": "x", "ports": [["containerPort": 80, "protocol": "TCP"]]]]],
            ])
    }

    @Test func readsPathsAndTemplatesOfAnySort() {
        let fuzz = DocumentFuzz(seed: 12)
        let random = SeededRandom(seed: 13)
        let bytes = Array(#".[]=",abcname1spec"#.utf8)
        for _ in 0..<FuzzCases.count(1000) {
            let path = String(
                decoding: random.bytes(random.below(30)).map { bytes[Int($0) % bytes.count] }, as: UTF8.self)
            let document = fuzz.document()
            _ = ForeignFields.removing([path], from: document)
            _ = FieldDrift.between(document, and: fuzz.document())
            _ = try? DeploymentTemplate(yaml: String(decoding: document.encoded(), as: UTF8.self))
            _ = try? DeploymentTemplate(pod: document, selector: nil)
        }
    }

    @Test(arguments: [
        ("{", "deployment.yaml"), ("a: 1\n---\nb: 2", "one document"), ("kind: Pod", "must hold a Deployment"),
        ("apiVersion: apps/v1\nkind: Deployment", "are required"),
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {selector: {matchLabels: {a: b}}}", "are required"),
    ])
    func refusesTemplatesThatAreNone(text: String, words: String) {
        do throws(DeploymentTemplate.Fault) {
            _ = try DeploymentTemplate(yaml: text)
            Issue.record("it is taken")
        } catch {
            #expect(error.message.contains(words), "\(error.message)")
        }
    }

    @Test func leavesOutOfAPodWhatNobodyWrote() throws {
        let pod: JSONValue = [
            "metadata": [
                "name": "a", "labels": ["app": "x", "pod-template-hash": "123"],
                "annotations": [
                    "kubectl.kubernetes.io/restartedAt": "t", "tollgate.dev/restartedAt": "t", "keep": "1",
                ],
            ],
            "spec": [
                "nodeName": "n", "serviceAccountName": "s", "serviceAccount": "s", "priority": 0,
                "dnsPolicy": "ClusterFirst",
                "terminationGracePeriodSeconds": 60, "securityContext": [:],
                "tolerations": [
                    ["key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300],
                    ["key": "mine"],
                ],
                "volumes": [["name": "kube-api-access-x"], ["name": "data"]],
                "containers": [
                    [
                        "name": "x", "image": "i", "terminationMessagePath": "/dev/termination-log", "resources": [:],
                        "volumeMounts": [
                            ["name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"]
                        ],
                    ]
                ],
            ], "status": ["phase": "Running"],
        ]
        let template = try DeploymentTemplate(pod: pod, selector: nil)
        #expect(
            JSONValue.object(template.document(of: reference)) == [
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": ["name": "tollgate", "namespace": "own", "labels": ["app": "x"]],
                "spec": [
                    "selector": ["matchLabels": ["app": "x"]],
                    "template": [
                        "metadata": ["labels": ["app": "x"], "annotations": ["keep": "1"]],
                        "spec": [
                            "serviceAccountName": "s", "terminationGracePeriodSeconds": 60,
                            "tolerations": [["key": "mine"]], "volumes": [["name": "data"]],
                            "containers": [["name": "x", "image": "i"]],
                        ],
                    ],
                ],
            ])
    }

    @Test(
        arguments: [
            (["matchLabels": ["b": "2", "a": "1"]], "a=1,b=2"),
            (["matchExpressions": [["key": "a", "operator": "In", "values": ["1", "2"]]]], "a in (1,2)"),
            (
                ["matchExpressions": [["key": "a", "operator": "Exists"], ["key": "b", "operator": "DoesNotExist"]]],
                "!b,a"
            ),
            ([:], nil), (["matchExpressions": [["key": "a", "operator": "Gt"]]], nil), ("text", nil),
        ] as [(JSONValue, String?)])
    func writesSelectors(selector: JSONValue, text: String?) {
        #expect(SelectorText.text(selector) == text)
    }
}
