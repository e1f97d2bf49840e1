// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The request that `tollgate explain` asks about, as the decisions API takes it.
struct ExplainRequest: Sendable {
    let method: String
    let address: RequestAddress
    var headers: [RequestHeader] = []
    var sourceIP: String?
    /// The gateway's word about the resource: member name and value.
    var resource: [(name: String, value: String)] = []
    /// nil = judged as nobody.
    var credential: Redacted<String>?

    /// The body of the call.
    var json: JSONValue {
        var request: JSONObject = [
            "method": .string(method), "host": .string(address.host), "path": .string(address.target),
            "scheme": .string(address.scheme),
        ]
        if !headers.isEmpty { request["headers"] = .object(headerMembers) }
        if let sourceIP { request["source_ip"] = .string(sourceIP) }
        var body: JSONObject = ["request": .object(request)]
        if let credential { body["credential"] = .string(credential.revealed) }
        if !resource.isEmpty {
            body["resource"] = .object(JSONObject(resource.map { ($0.name, .string($0.value)) }))
        }
        return .object(body)
    }

    /// A name that comes more than once has a list of values.
    private var headerMembers: JSONObject {
        var members = JSONObject()
        for header in headers {
            let same = headers.filter { $0.name == header.name }.map(\.value)
            members[header.name] = same.count == 1 ? .string(same[0]) : .strings(same)
        }
        return members
    }
}

/// Scheme, host and target of a URL, otherwise as it was written: mending it would hide what is wrong with it.
struct RequestAddress: Sendable, Hashable {
    /// `http` or `https`.
    let scheme: String
    let host: String
    /// Path and query.
    let target: String

    /// Why a text is no URL that can be asked about.
    enum Fault: Error, Sendable, Hashable {
        case scheme
        case host
        case userInfo

        var message: String {
            switch self {
            case .scheme: "the URL must begin with http:// or https://"
            case .host: "the URL names no host"
            case .userInfo: "the URL holds a user name: a credential goes in through --as - or --as @FILE"
            }
        }
    }

    /// Takes an absolute URL apart.
    init(_ text: String) throws(Fault) {
        let schemes = ["http", "https"]
        let lower = ASCII.lowercased(text)
        guard let scheme = schemes.first(where: { lower.hasPrefix($0 + "://") }) else { throw .scheme }
        let rest = text.utf8.dropFirst(scheme.utf8.count + 3)
        let ends = Array("/?#\\".utf8)
        let authority = rest.prefix { !ends.contains($0) }
        guard !authority.contains(UInt8(ascii: "@")) else { throw .userInfo }
        guard !authority.isEmpty else { throw .host }
        let tail = String(Substring(rest.dropFirst(authority.count)))
        self.scheme = scheme
        host = String(Substring(authority))
        target = tail.hasPrefix("/") ? tail : "/" + tail
    }
}

/// A header line of the request that is asked about.
struct RequestHeader: Sendable, Hashable {
    /// Lower case.
    let name: String
    let value: String

    /// Why a text is no header that may be an argument.
    enum Fault: Error, Sendable, Hashable {
        case shape
        case credential

        var message: String {
            switch self {
            case .shape: "--header takes 'Name: value'"
            case .credential:
                "--header takes no credential, which others on the machine could see: use --as - or --as @FILE"
            }
        }
    }

    /// Takes `Name: value` apart.
    init(_ text: String) throws(Fault) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .shape }
        let name = ASCII.lowercased(ASCII.trimmed(text[..<colon]))
        let value = ASCII.trimmed(text[text.utf8.index(after: colon)...])
        guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .shape }
        guard !Self.isCredential(name, value) else { throw .credential }
        self.name = name
        self.value = value
    }

    private static func isCredential(_ name: String, _ value: String) -> Bool {
        switch name {
        case "authorization", "proxy-authorization", "x-api-key", "cookie": true
        case "sec-websocket-protocol": value.contains("bearer.")
        default: false
        }
    }
}
