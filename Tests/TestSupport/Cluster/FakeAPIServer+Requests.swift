// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization

/// How requests are answered.
extension FakeAPIServer {
    struct Answer {
        var status = 200
        var body: JSONValue
    }

    func receive(
        _ method: String, _ target: String, _ headers: [(name: String, value: String)], _ body: [UInt8],
        _ exchange: Exchange, _ connection: Int
    ) {
        let path = String(target.prefix { $0 != "?" })
        let query = RequestRoute.query(of: target)
        let (route, isLetIn) = state.withLock { state in
            let route = RequestRoute.parse(method: method, path: path, query: query, served: state.cluster.served)
            let record = APIRequestRecord(
                method: method, path: path, query: query, headers: headers, body: body, route: route)
            state.records.append(record)
            let bearer = record.header("authorization").map { String($0.dropFirst("Bearer ".count)) } ?? ""
            return (route, state.bearers?.contains(bearer) ?? true)
        }
        guard isLetIn else { return refuse(.unauthorized, exchange) }
        let request = IncomingRequest(
            method: method, path: path, query: query, headers: headers, body: body, connection: connection)
        guard let route else { return answerUnrouted(request, exchange) }
        let taken = faults.take(for: route)
        for fault in taken {
            if case .hold(let gate) = fault {
                return gate.pass { [self] in carryOut(route, request, taken, exchange) }
            }
        }
        carryOut(route, request, taken, exchange)
    }

    private func carryOut(
        _ route: RequestRoute, _ request: IncomingRequest, _ faults: [APIFault], _ exchange: Exchange
    ) {
        for fault in faults {
            switch fault {
            case .refuse(let code, let reason, let message, let seconds):
                return refuse(APIStatus(code, reason, message, retryAfterSeconds: seconds), exchange)
            case .forbid: return refuse(.forbidden(route, user: "system:serviceaccount:tollgate:tollgate"), exchange)
            case .unauthorized: return refuse(.unauthorized, exchange)
            case .hang: return
            case .drop: return exchange.cut()
            case .refuseWatchList where route.query["sendInitialEvents"] != nil:
                return refuse(
                    .listOptions(
                        "sendInitialEvents",
                        "sendInitialEvents is forbidden for watch unless the WatchList "
                            + "feature gate is enabled"), exchange)
            default: break
            }
        }
        do throws(APIStatus) {
            if route.resource.resource == .tokenReviews {
                guard route.verb == .create else { throw APIStatus.methodNotAllowed }
                return send(Answer(status: 201, body: try review(request)), faults, exchange)
            }
            if route.verb == .watch { return try watch(route, request, faults, exchange) }
            send(try perform(route, request), faults, exchange)
        } catch {
            refuse(error, exchange)
        }
    }

    private func send(_ answer: Answer, _ faults: [APIFault], _ exchange: Exchange) {
        var body = answer.body.encoded() + [0x0A]
        for fault in faults {
            switch fault {
            case .loseAnswer: return exchange.cut()
            case .garbledBody: body = Array("{\"kind\":nonsense".utf8)
            case .bytewise:
                exchange.begin(answer.status)
                exchange.writeBytewise(body)
                return exchange.end()
            case .cutBody:
                exchange.begin(answer.status, headers: [("content-length", "\(body.count)")])
                exchange.write(body.prefix(body.count / 2))
                return exchange.cut()
            default: break
            }
        }
        exchange.answer(answer.status, body: body)
    }

    private func refuse(_ status: APIStatus, _ exchange: Exchange) {
        let headers = status.retryAfterSeconds.map { [("retry-after", "\($0)")] } ?? []
        exchange.answer(status.code, headers: headers, body: status.document.encoded() + [0x0A])
    }

    private func answerUnrouted(_ request: IncomingRequest, _ exchange: Exchange) {
        let parts = request.path.split(separator: "/").map(String.init)
        let groups = state.withLock(\.groups)
        switch parts {
        case ["api"]:
            exchange.answer(
                200, body: JSONValue.object(["kind": "APIVersions", "versions": .strings(groups[""] ?? [])]).encoded())
        case ["apis"]:
            let list = groups.filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }.map { Self.group($0.key, $0.value) }
            exchange.answer(
                200,
                body: JSONValue.object(["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(list)]).encoded())
        case ["version"]:
            exchange.answer(
                200, body: JSONValue.object(["major": "1", "minor": "33", "gitVersion": "v1.33.0"]).encoded())
        case let parts where parts.count == 2 && parts[0] == "apis" && groups[parts[1]]?.isEmpty == false:
            exchange.answer(200, body: Self.group(parts[1], groups[parts[1]] ?? []).encoded())
        case let parts where ["healthz", "livez", "readyz"].contains(parts.first):
            exchange.answer(200, body: Array("ok".utf8), type: "text/plain; charset=utf-8")
        case let parts where parts.count == 2 || parts.first == "apis" && groups[parts.dropFirst().first ?? ""] == nil:
            exchange.answer(404, body: Array("404 page not found\n".utf8), type: "text/plain; charset=utf-8")
        default: refuse(.unknownPath, exchange)
        }
    }

    private static func group(_ name: String, _ versions: [String]) -> JSONValue {
        let list = versions.map { version -> JSONValue in
            ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
        }
        return [
            "kind": "APIGroup", "apiVersion": "v1", "name": .string(name), "versions": .array(list),
            "preferredVersion": list[0],
        ]
    }

    // MARK: Verbs

    private func perform(_ route: RequestRoute, _ request: IncomingRequest) throws(APIStatus) -> Answer {
        try state.withLock { (state) throws(APIStatus) -> Answer in
            defer { tell(&state) }
            let name = ClusterState.ObjectName(namespace: route.namespace ?? "", name: route.name ?? "")
            let resource = route.resource
            if resource.plural == "pods", route.subresource == "eviction" {
                return Answer(status: 201, body: try evict(name, resource, request, &state))
            }
            try checkSubresource(route)
            let isScale = route.subresource == "scale"
            switch route.verb {
            case .get:
                let document = try state.cluster.read(resource, name).document
                if isScale { return Answer(body: ScaleSubresource.scale(of: document)) }
                return Answer(body: request.isMetadataOnly ? Self.metadata(of: document) : document)
            case .list: return Answer(body: try list(route, request, &state))
            case .create:
                guard route.name == nil else { throw .methodNotAllowed }
                let document = try request.document(resource)
                return Answer(
                    status: 201,
                    body: try state.cluster.create(
                        document, in: resource, namespace: route.namespace, writeOptions(request)))
            case .update:
                let document = try request.document(resource)
                let isThere = state.cluster.stored(resource, name) != nil
                if isScale { return Answer(body: try scale(name, resource, request, &state) { _ in document }) }
                return Answer(
                    status: isThere ? 200 : 201,
                    body: try state.cluster.replace(
                        document, at: name, of: resource, subresource: route.subresource, writeOptions(request)))
            case .patch: return try patch(route, name, request, &state)
            case .delete:
                let conditions = request.body.isEmpty ? Optional.none : try request.json()
                return Answer(
                    body: try state.cluster.delete(name, of: resource, conditions, writeOptions(request)))
            case .watch, .deleteCollection: throw .methodNotAllowed
            }
        }
    }

    private func checkSubresource(_ route: RequestRoute) throws(APIStatus) {
        switch route.subresource {
        case nil: return
        case "status" where route.resource.hasStatus && route.verb != .create: return
        case "scale" where route.resource.hasScale && route.verb != .create: return
        default: throw .unknownPath
        }
    }

    private func patch(
        _ route: RequestRoute, _ name: ClusterState.ObjectName, _ request: IncomingRequest, _ state: inout State
    ) throws(APIStatus) -> Answer {
        let resource = route.resource
        let options = writeOptions(request)
        let type = String((request.header("content-type") ?? "").prefix { $0 != ";" })
        let document = try request.json()
        let change: (JSONValue) throws(APIStatus) -> JSONValue
        switch type {
        case "application/apply-patch+yaml":
            guard request.query["fieldManager"]?.isEmpty == false else { throw .managerMissing }
            if route.subresource == "scale" {
                return Answer(
                    body: try scale(name, resource, request, &state) { DocumentPatch.merge(document, into: $0) })
            }
            let isThere = state.cluster.stored(resource, name) != nil
            return Answer(
                status: isThere ? 200 : 201,
                body: try state.cluster.apply(
                    document, at: name, of: resource, subresource: route.subresource, options))
        case "application/merge-patch+json": change = { DocumentPatch.merge(document, into: $0) }
        case "application/json-patch+json":
            change = { (old) throws(APIStatus) in try DocumentPatch.apply(document, to: old) }
        default: throw .unsupportedMediaType
        }
        if route.subresource == "scale" { return Answer(body: try scale(name, resource, request, &state, change)) }
        return Answer(
            body: try state.cluster.patch(name, of: resource, subresource: route.subresource, options, change))
    }

    /// Changes `spec.replicas` through the scale subresource.
    private func scale(
        _ name: ClusterState.ObjectName, _ resource: ServedResource, _ request: IncomingRequest, _ state: inout State,
        _ change: (JSONValue) throws(APIStatus) -> JSONValue
    ) throws(APIStatus) -> JSONValue {
        let old = try state.cluster.read(resource, name).document
        let wanted = try change(ScaleSubresource.scale(of: old))
        let result = try state.cluster.patch(name, of: resource, subresource: nil, writeOptions(request)) {
            ScaleSubresource.scaled($0, to: wanted)
        }
        return ScaleSubresource.scale(of: result)
    }

    private func writeOptions(_ request: IncomingRequest) -> ClusterState.WriteOptions {
        let agent = request.header("user-agent") ?? "unknown"
        var options = options(manager: request.query["fieldManager"] ?? String(agent.prefix { $0 != "/" }))
        options.dryRun = request.query["dryRun"] == "All"
        options.force = request.query["force"] == "true"
        options.strict = request.query["fieldValidation"] == "Strict"
        return options
    }
}
