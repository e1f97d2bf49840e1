// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// What Tollgate relies on in a Kubernetes API: each behaviour is checked through the client, on the fake server and on a real one.
///
/// The four kinds are known to the server. Every behaviour has a namespace to itself.
package struct KubernetesAPIContract: Sendable {
    /// One thing that holds.
    package struct Behaviour: Sendable, CustomStringConvertible {
        package let description: String
        let check: @Sendable (KubernetesAPIContract) async throws -> Void

        init(_ name: String, _ check: @escaping @Sendable (KubernetesAPIContract) async throws -> Void) {
            description = name
            self.check = check
        }
    }

    /// An API that does not keep the contract.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }

    /// All of them.
    package static let behaviours: [Behaviour] = objects + writing + ownership + reading + special

    let api: any KubernetesAPI
    let namespace: String

    /// Checks one behaviour in a new namespace.
    package static func check(_ behaviour: Behaviour, on api: any KubernetesAPI) async throws {
        let letters = behaviour.description.lowercased().filter { $0.isASCII && $0.isLetter }
        let name = "contract-\(letters.prefix(40))-\(UInt32.random(in: 0..<100_000))"
        let document: JSONValue = [
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": ["name": .string(name), "labels": ["contract": "yes"]],
        ]
        _ = try await api.create(document, in: .namespaces, namespace: nil, name: nil, subresource: nil)
        do {
            try await behaviour.check(KubernetesAPIContract(api: api, namespace: name))
        } catch let error as KubernetesError {
            throw Broken(description: "\(behaviour): unexpected \(error) (\(error.status ?? 0) \(error.reason))")
        }
        try await api.delete(APIObjectReference(.namespaces, namespace: nil, name: name), DeleteConditions())
    }

    // MARK: Means

    func hold(_ condition: Bool, _ what: String = "", line: UInt = #line, file: String = #fileID) throws {
        guard !condition else { return }
        throw Broken(description: "what \(file) says in line \(line) does not hold: \(what)")
    }

    /// What a call that must fail fails with.
    func refused(
        _ code: KubernetesError.Code, line: UInt = #line, file: String = #fileID,
        _ call: () async throws(KubernetesError) -> Void
    ) async throws -> KubernetesError {
        do throws(KubernetesError) {
            try await call()
        } catch {
            try hold(error.code == code, "\(code.rawValue) was expected, it is \(error)", line: line, file: file)
            return error
        }
        throw Broken(description: "\(file):\(line): \(code.rawValue) was expected, it went well")
    }

    func reference(_ resource: APIResource, _ name: String) -> APIObjectReference {
        APIObjectReference(resource, namespace: namespace, name: name)
    }

    func configMap(_ name: String, _ data: JSONObject = ["k": "v"], labels: JSONObject = [:]) -> JSONValue {
        object(.configMaps, name, ["data": .object(data)], labels: labels)
    }

    func authConfig(_ name: String, mode: String? = nil, labels: JSONObject = [:]) -> JSONValue {
        var spec: JSONObject = ["hosts": ["contract.example"]]
        spec["mode"] = mode.map(JSONValue.string)
        return object(.authConfigs, name, ["spec": .object(spec)], labels: labels)
    }

    func object(_ resource: APIResource, _ name: String, _ members: JSONObject, labels: JSONObject = [:]) -> JSONValue {
        var metadata: JSONObject = ["name": .string(name), "namespace": .string(namespace)]
        if !labels.isEmpty { metadata["labels"] = .object(labels) }
        let head: [(String, JSONValue)] = [
            ("apiVersion", .string(resource.apiVersion)), ("kind", .string(resource.kind)),
            ("metadata", .object(metadata)),
        ]
        return .object(JSONObject(head + members.members.map { ($0.name, $0.value) }))
    }

    @discardableResult
    func create(_ document: JSONValue, _ resource: APIResource) async throws(KubernetesError) -> JSONValue {
        try await api.create(document, in: resource, namespace: namespace, name: nil, subresource: nil)
    }

    func get(_ resource: APIResource, _ name: String) async throws(KubernetesError) -> JSONValue {
        try await api.get(reference(resource, name), subresource: nil)
    }

    /// All pages of a list: the items and what the last page said.
    func list(_ selection: ObjectSelection, limit: Int = 500) async throws -> (items: [JSONValue], pages: [ListPage]) {
        var items: [JSONValue] = []
        var pages: [ListPage] = []
        var token: String?
        repeat {
            let page = try await api.list(ListQuery(selection, limit: limit, continueToken: token)) { items.append($0) }
            pages.append(page)
            token = page.continueToken
        } while token != nil && pages.count < 1000
        return (items, pages)
    }

    /// The first events from a version on that are no bookmarks.
    func events(_ count: Int, _ selection: ObjectSelection, from version: String) async throws -> [WatchEvent] {
        var events: [WatchEvent] = []
        let query = WatchQuery(selection, resourceVersion: version, timeoutSeconds: 30, idleTimeout: .seconds(60))
        try await api.watch(query) { event in
            if case .bookmark = event { return .goOn }
            events.append(event)
            return events.count < count ? .goOn : .stop
        }
        return events
    }
}

extension JSONValue {
    var version: String { self["metadata"]?["resourceVersion"]?.stringValue ?? "" }
    var objectName: String { self["metadata"]?["name"]?.stringValue ?? "" }
    var generation: Int64 { self["metadata"]?["generation"]?.intValue ?? 0 }
    var finalizers: [String] { self["metadata"]?["finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
}

extension WatchEvent {
    /// `ADDED a`, for comparing.
    var summary: String {
        switch self {
        case .added(let object): "ADDED \(object.objectName)"
        case .modified(let object): "MODIFIED \(object.objectName)"
        case .deleted(let object): "DELETED \(object.objectName)"
        case .bookmark: "BOOKMARK"
        case .error(let error): "ERROR \(error.code.rawValue)"
        }
    }
}
