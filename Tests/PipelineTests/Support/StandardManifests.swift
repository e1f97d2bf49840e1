// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The AuthConfigs of most tests.
enum StandardManifests {
    static let secret = "a-shared-secret-of-more-than-32-bytes-000"

    static let text = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: api}
        spec:
          hosts: [api.example.com, "*.apps.example.com"]
          mode: required
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/public/**", public: true}
              - {methods: [GET], path: "/tasks/{id}", permission: "tasks:read"}
              - {methods: [DELETE], path: "/tasks/{id}", permission: "tasks:delete"}
              - {methods: [GET], path: "/me", authenticated: true}
              - {methods: [GET], path: "/platform", permission: "tasks:read", platform: true}
              - {methods: [GET], path: "/tenants/{tenant}/tasks", permission: "tasks:read"}
              - {methods: [POST], path: "/admin", permission: "admin:access"}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: open}
        spec: {hosts: [open.example.com], mode: disabled}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: maybe}
        spec: {hosts: [maybe.example.com], mode: optional}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: strict}
        spec:
          hosts: [strict.example.com]
          mode: required
          require: {scopes: ["workflows:read"], workspaces: [WS-A]}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: blank}
        spec:
          hosts: [blank.example.com]
          mode: disabled
          require: {scopes: ["workflows:read"]}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: jwt}
        spec:
          hosts: [jwt.example.com]
          mode: required
          issuers:
            - {name: main, issuer: "https://id.example", secretRef: {name: key, key: key}, audiences: [api], algorithms: [HS256], platform: true}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: key}
        stringData: {key: "\(secret)"}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: broken}
        spec:
          hosts: [broken.apps.example.com]
          issuers:
            - {name: main, issuer: "https://other.example", secretRef: {name: gone, key: key}, audiences: [api]}
        """
}
