// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// `POST /v1/billing/checkout`: `{plan or pack, success_url, cancel_url}`
struct CheckoutBody: Sendable, Hashable {
    /// What is bought.
    enum Wanted: Sendable, Hashable {
        case plan(String)
        case pack(String)

        var name: String {
            switch self {
            case .plan(let name): "plan/\(name)"
            case .pack(let id): "pack/\(id)"
            }
        }
    }

    var wanted: Wanted
    var successURL: String
    var cancelURL: String

    /// - Throws: `request.malformed`, `request.invalid`.
    static func read(_ body: JSONObject, hosts: [String]) throws(Refusal) -> CheckoutBody {
        var reader = FieldReader()
        try reader.checkMembers(of: body, known: ["plan", "pack", "success_url", "cancel_url"])
        let plan = reader.text(body, "plan")
        let pack = reader.text(body, "pack")
        for (name, text) in [("plan", plan), ("pack", pack)] {
            if let text, !(1...63).contains(text.utf8.count) { reader.fault(name, "not a text of 1 to 63 bytes") }
        }
        if plan != nil, pack != nil { reader.fault("pack", "not together with plan") }
        if body["plan"] ?? .null == .null, body["pack"] ?? .null == .null { reader.fault("plan", "required, or pack") }
        let success = RedirectTarget.read("success_url", body, hosts: hosts, &reader)
        let cancel = RedirectTarget.read("cancel_url", body, hosts: hosts, &reader)
        try reader.finish()
        return CheckoutBody(
            wanted: plan.map(Wanted.plan) ?? .pack(pack ?? ""), successURL: success, cancelURL: cancel)
    }
}

/// Where the provider sends a browser back to: an https address of a host that is allowed, or an http one of this machine.
enum RedirectTarget {
    private static let maximumBytes = 2048

    /// Reads a required address; empty where it is none, which the reader notes.
    static func read(_ name: String, _ body: JSONObject, hosts: [String], _ reader: inout FieldReader) -> String {
        guard let text = reader.text(body, name, required: true) else { return "" }
        guard let host = host(text) else {
            reader.fault(name, "not an https address of at most \(maximumBytes) bytes")
            return ""
        }
        guard hosts.contains(host) else {
            reader.fault(name, "not an address of a host that is allowed")
            return ""
        }
        return text
    }

    /// The host, lower case, with its port where there is one; nil where this is no such address.
    private static func host(_ text: String) -> String? {
        guard text.utf8.count <= maximumBytes, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }) else {
            return nil
        }
        let rest: Substring
        if ASCII.lowercased(text.prefix(8)) == "https://" {
            rest = text.dropFirst(8)
        } else if ASCII.lowercased(text.prefix(7)) == "http://" {
            rest = text.dropFirst(7)
            let name = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" && $0 != ":" }
            guard name == "localhost" || name == "127.0.0.1" else { return nil }
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        return ASCII.lowercased(authority)
    }
}
