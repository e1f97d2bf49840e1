// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

extension ProjectRoutes {
    /// What a project gives and gets.
    var access: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/projects/{project}/access", .read) { call throws(Refusal) in
                try await list(.given, call)
            },
            OwnRoute("GET", "/v1/projects/{project}/shared", .read) { call throws(Refusal) in
                try await list(.received, call)
            },
            OwnRoute("POST", "/v1/projects/{project}/access", .write) { call throws(Refusal) in
                let (_, scope) = try read(call)
                let offer = try ProjectRequests.offer(call.body)
                return .share(try await registry.offer(offer, from: call.captures[0], scope: scope), status: 201)
            },
            OwnRoute("GET", "/v1/projects/{project}/access/{id}", .read) { call throws(Refusal) in
                let (_, scope) = try read(call)
                return .json(try await registry.share(call.captures[1], as: call.captures[0], scope: scope).json)
            },
            OwnRoute("PATCH", "/v1/projects/{project}/access/{id}", .write) { call throws(Refusal) in
                try await apply(.update(try ProjectRequests.termsChange(call.body)), call)
            },
        ]
    }

    /// How a share goes on.
    var answers: [OwnRoute] {
        [
            OwnRoute("POST", "/v1/projects/{project}/access/{id}/accept", .write) { call throws(Refusal) in
                try ProjectRequests.nothing(call.body)
                return try await apply(.accept, call)
            },
            OwnRoute("POST", "/v1/projects/{project}/access/{id}/decline", .write) { call throws(Refusal) in
                try ProjectRequests.nothing(call.body)
                return try await apply(.decline, call)
            },
            OwnRoute("POST", "/v1/projects/{project}/access/{id}/revoke", .write) { call throws(Refusal) in
                try await apply(.revoke(reason: try ProjectRequests.reason(call.body)), call)
            },
        ]
    }

    private func list(_ side: ShareFilter.Side, _ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (query, scope) = try read(call, "state", "limit", "cursor")
        let (page, states) = try ProjectRequests.page(query)
        return .page(
            "shares",
            try await registry.shares(side, of: call.captures[0], states: states, page: page, scope: scope), \.json)
    }

    private func apply(_ event: ShareEvent, _ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let (_, scope) = try read(call)
        return .share(
            try await registry.apply(event, to: call.captures[1], as: call.captures[0], scope: scope))
    }
}
