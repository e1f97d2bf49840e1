// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import ResourceModel

/// What a request asks for, read from method, path and query as the API server reads them.
package struct RequestRoute: Sendable {
    /// The verbs of RBAC.
    package enum Verb: String, Sendable, Hashable {
        case get, list, watch, create, update, patch, delete
        case deleteCollection = "deletecollection"
    }

    let resource: ServedResource
    package let verb: Verb
    package let namespace: String?
    package let name: String?
    package let subresource: String?
    let query: [String: String]

    /// `get,  configmaps` or `patch, tollgate.dev, authconfigs/status`: a right as a rule of RBAC grants it.
    package var right: String {
        "\(verb.rawValue) \(resource.group.isEmpty ? "core" : resource.group) "
            + resource.plural + (subresource.map { "/\($0)" } ?? "")
    }

    /// Reads a path below `/api` or `/apis`; nil when no served resource is meant.
    static func parse(method: String, path: String, query: [String: String], served: [ServedResource])
        -> RequestRoute?
    {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true).map {
            String($0).removingPercentEncoding ?? String($0)
        }
        guard let root = parts.first, root == "api" || root == "apis", parts.count >= (root == "api" ? 3 : 4) else {
            return nil
        }
        let group = root == "api" ? "" : parts[1]
        let version = root == "api" ? parts[1] : parts[2]
        parts.removeFirst(root == "api" ? 2 : 3)
        var namespace: String?
        // `namespaces/acme` is an object, `namespaces/acme/status` too, `namespaces/acme/pods` a collection.
        if parts[0] == "namespaces", parts.count >= 3, !["status", "finalize"].contains(parts[2]) {
            namespace = parts[1]
            parts.removeFirst(2)
        }
        guard parts.count <= 3,
            let resource = served.first(where: {
                $0.group == group && $0.resource.version == version && $0.plural == parts[0]
            }), namespace == nil || resource.resource.isNamespaced
        else { return nil }
        let name = parts.count > 1 ? parts[1] : nil
        guard let verb = verb(method, name: name, query: query) else { return nil }
        return RequestRoute(
            resource: resource, verb: verb, namespace: namespace, name: name,
            subresource: parts.count > 2 ? parts[2] : nil, query: query)
    }

    private static func verb(_ method: String, name: String?, query: [String: String]) -> Verb? {
        switch method {
        case "GET":
            if ["1", "true"].contains(query["watch"]) { return .watch }
            return name == nil ? .list : .get
        case "POST": return .create
        case "PUT": return .update
        case "PATCH": return .patch
        case "DELETE": return name == nil ? .deleteCollection : .delete
        default: return nil
        }
    }

    /// The members of a query; a later one of the same name wins.
    static func query(of target: String) -> [String: String] {
        guard let mark = target.firstIndex(of: "?") else { return [:] }
        var members: [String: String] = [:]
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = sides.map { side in
                let text = side.replacing("+", with: " ")
                return String(text).removingPercentEncoding ?? String(text)
            }
            members[decoded[0]] = decoded.count > 1 ? decoded[1] : ""
        }
        return members
    }
}
