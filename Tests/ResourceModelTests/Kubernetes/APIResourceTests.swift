// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ResourceModel
internal import Testing

@Suite struct APIResourceTests {
    @Test(
        arguments: [
            (
                APIResource.authConfigs, "acme", "api", "status",
                "/apis/tollgate.dev/v1alpha1/namespaces/acme/authconfigs/api/status"
            ),
            (.secrets, nil, nil, nil, "/api/v1/secrets"),
            (.namespaces, "ignored", "acme", nil, "/api/v1/namespaces/acme"),
            (.leases, "own", "tollgate", nil, "/apis/coordination.k8s.io/v1/namespaces/own/leases/tollgate"),
        ] as [(APIResource, String?, String?, String?, String)])
    func buildsPaths(
        _ resource: APIResource, _ namespace: String?, _ name: String?, _ subresource: String?, _ path: String
    ) {
        #expect(resource.path(namespace: namespace, name: name, subresource: subresource) == path)
    }

    @Test func boundsMessages() {
        let error = KubernetesError(.invalid, message: String(repeating: "é", count: 2000))
        #expect(error.message.utf8.count <= 1024)
    }
}
