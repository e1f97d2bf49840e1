// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite struct APIRequestTests {
    @Test func asksForListsAndWatches() {
        let selection = ObjectSelection(
            .secrets, namespace: "acme", labelSelector: "tollgate.dev/managed=true,a in (b, c)",
            fieldSelector: "metadata.name=x")
        #expect(
            APIRequest.list(ListQuery(selection, limit: 500, continueToken: "a+/=&b")).target
                == "/api/v1/namespaces/acme/secrets?labelSelector=tollgate.dev%2Fmanaged%3Dtrue%2Ca%20in%20%28b%2C%20c%29"
                + "&fieldSelector=metadata.name%3Dx&limit=500&continue=a%2B%2F%3D%26b")
        var query = WatchQuery(
            ObjectSelection(.namespaces, metadataOnly: true), resourceVersion: "5", timeoutSeconds: 300,
            idleTimeout: .seconds(305))
        #expect(
            APIRequest.watch(query).target
                == "/api/v1/namespaces?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=5")
        #expect(APIRequest.watch(query).accept == "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
        #expect(
            APIRequest.list(ListQuery(query.selection)).accept
                == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
        query.resourceVersion = nil
        query.sendsInitialEvents = true
        #expect(
            APIRequest.watch(query).target
                == "/api/v1/namespaces?watch=true&allowWatchBookmarks=true&timeoutSeconds=300"
                + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
    }

    @Test func writesInEveryWay() {
        let object = APIObjectReference(.authConfigs, namespace: "acme", name: "api")
        let path = "/apis/tollgate.dev/v1alpha1/namespaces/acme/authconfigs/api"
        let apply = APIRequest.patch(object, subresource: "status", .apply(["a": 1], force: true, dryRun: true))
        #expect(apply.target == "\(path)/status?fieldManager=tollgate&force=true&dryRun=All")
        #expect(apply.contentType == "application/apply-patch+yaml")
        #expect(apply.body == Array(#"{"a":1}"#.utf8))
        let json = APIRequest.patch(object, subresource: nil, .json([]))
        #expect(json.target == "\(path)?fieldManager=tollgate")
        #expect(json.contentType == "application/json-patch+json")
        #expect(
            APIRequest.patch(object, subresource: nil, .merge([:])).contentType == "application/merge-patch+json")
        let eviction = APIRequest.create(
            [:], in: .pods, namespace: "acme", name: "web-1", subresource: "eviction")
        #expect(eviction.target == "/api/v1/namespaces/acme/pods/web-1/eviction?fieldManager=tollgate")
        #expect(eviction.method == .post)
        let delete = APIRequest.delete(object, .init(uid: "u", resourceVersion: "4", gracePeriodSeconds: 0))
        #expect(delete.target == path)
        #expect(
            (try? JSONParser.parse(delete.body ?? [])) == [
                "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
                "preconditions": ["uid": "u", "resourceVersion": "4"], "gracePeriodSeconds": 0,
            ])
        #expect(APIRequest.versions(ofGroup: "policy").target == "/apis/policy")
    }

    @Test(arguments: [
        (400, "BadRequest", KubernetesError.Code.badRequest), (401, "Unauthorized", .unauthorized),
        (403, "Forbidden", .forbidden), (404, "NotFound", .notFound), (405, "MethodNotAllowed", .methodNotAllowed),
        (409, "AlreadyExists", .alreadyExists), (409, "Conflict", .conflict), (410, "Expired", .expired),
        (410, "Gone", .expired), (413, "RequestEntityTooLarge", .tooLarge),
        (415, "UnsupportedMediaType", .unsupportedMediaType), (422, "Invalid", .invalid),
        (429, "TooManyRequests", .tooManyRequests), (500, "InternalError", .internalError),
        (500, "ServerTimeout", .serverTimeout), (503, "ServiceUnavailable", .unavailable),
        (504, "Timeout", .serverTimeout),
        (418, "", .internalError), (502, "", .internalError), (302, "", .internalError),
    ])
    func tellsErrorsApart(_ status: Int, _ reason: String, _ code: KubernetesError.Code) {
        let body = #"{"kind":"Status","code":\#(status),"reason":"\#(reason)","message":"words"}"#
        let error = StatusReader.error(status: status, body: Array(body.utf8), retryAfter: nil)
        #expect(error == KubernetesError(code, status: status, reason: reason, message: "words"))
        if status != 500, reason != "AlreadyExists" {
            #expect(StatusReader.error(status: status, body: Array("<html>".utf8), retryAfter: nil).code == code)
        }
    }

    @Test func keepsCausesAndWhenToComeBack() {
        let body = #"""
            {"kind":"Status","code":422,"reason":"Invalid","message":"m","details":{"retryAfterSeconds":3,
            "causes":[{"field":"spec.a","message":"no","reason":"FieldValueInvalid"}]}}
            """#
        let error = StatusReader.error(status: 422, body: Array(body.utf8), retryAfter: nil)
        #expect(error.causes == [.init(field: "spec.a", message: "no")])
        #expect(error.retryAfter == .seconds(3))
        #expect(StatusReader.error(status: 429, body: [], retryAfter: " 7 ").retryAfter == .seconds(7))
        #expect(StatusReader.error(status: 429, body: [], retryAfter: "soon").retryAfter == nil)
    }

    @Test func readsNoStatusWrongHoweverItIsBroken() {
        let random = SeededRandom(seed: 3)
        let good = Array(#"{"kind":"Status","code":409,"reason":"Conflict","details":{"causes":[{}]}}"#.utf8)
        for _ in 0..<FuzzCases.count(1000) {
            var bytes = good
            for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            #expect(StatusReader.error(status: 409, body: bytes, retryAfter: nil).status == 409)
        }
    }

    @Test func repeatsOnlyWhatMayBeRepeated() {
        let rule = RetryRule()
        func pause(
            _ code: KubernetesError.Code, _ status: Int?, _ method: APIRequest.Method, after: Duration? = nil,
            notExecuted: Bool = false, attempt: Int = 1
        ) -> Duration? {
            rule.pause(
                after: .init(
                    error: KubernetesError(code, status: status, message: "", retryAfter: after),
                    wasNotExecuted: notExecuted),
                method: method, attempt: attempt, jitter: 0)
        }
        for method in [APIRequest.Method.get, .put, .patch, .delete] {
            #expect(pause(.unavailable, 503, method) == .milliseconds(500))
            #expect(pause(.unavailable, 503, method, attempt: 2) == .seconds(1))
            #expect(pause(.serverTimeout, 504, method) != nil)
            #expect(pause(.unreachable, nil, method) != nil)
            #expect(pause(.unavailable, 503, method, attempt: 3) == nil)
        }
        #expect(pause(.tooManyRequests, 429, .post) != nil)
        #expect(pause(.unavailable, 503, .post) == nil)
        #expect(pause(.unavailable, 503, .post, after: .seconds(2)) == .seconds(2))
        #expect(pause(.serverTimeout, 504, .post) == nil)
        #expect(pause(.unreachable, nil, .post) == nil)
        #expect(pause(.unreachable, nil, .post, notExecuted: true) != nil)
        #expect(pause(.tooManyRequests, 429, .get, after: .seconds(31)) == nil)
        for code in [KubernetesError.Code.timedOut, .cancelled, .malformedAnswer, .idle] {
            #expect(pause(code, nil, .get) == nil)
        }
        for (code, status) in [(KubernetesError.Code.conflict, 409), (.notFound, 404), (.internalError, 500)] {
            #expect(pause(code, status, .get) == nil)
        }
    }

    @Test func putsThePreferredVersionFirst() throws {
        let group: JSONValue = [
            "versions": [["version": "v2"], ["version": "v1"]], "preferredVersion": ["version": "v1"],
        ]
        #expect(try DiscoveryReader.versions(group) == ["v1", "v2"])
        #expect(try DiscoveryReader.versions(["versions": ["v1"]]) == ["v1"])
        #expect(throws: KubernetesError.self) { try DiscoveryReader.versions(["versions": [1]]) }
        #expect(throws: KubernetesError.self) { try DiscoveryReader.versions([:]) }
    }
}
