// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What a client wants of an endpoint: `{url, types?, description?, enabled?}`.
package struct WebhookEndpointRequest: Sendable, Hashable {
    /// The most bytes of a URL.
    package static let maximumURLBytes = 2048
    /// The most characters of a description.
    package static let maximumDescription = 256

    package var url: String
    package var types: [AccountEvent.Kind]
    package var description: String
    package var isEnabled: Bool

    /// Reads a request. Whether the address may be called is for whoever knows the network.
    ///
    /// - Throws: 422 `request.invalid` with the field.
    package init(_ json: JSONValue) throws(Refusal) {
        guard let url = json["url"]?.stringValue, Self.isPlausible(url) else {
            throw Self.invalid("url", "An https URL of at most \(Self.maximumURLBytes) bytes is expected")
        }
        self.url = url
        types = []
        if let value = json["types"], !value.isNull {
            guard let names = value.arrayValue else { throw Self.invalid("types") }
            for name in names {
                guard let type = name.stringValue.flatMap(AccountEvent.Kind.init), !types.contains(type) else {
                    throw Self.invalid("types", "Types are known ones, each once")
                }
                types.append(type)
            }
        }
        description = ""
        if let value = json["description"], !value.isNull {
            guard let text = value.stringValue, text.count <= Self.maximumDescription else {
                throw Self.invalid("description")
            }
            description = text
        }
        isEnabled = true
        if let value = json["enabled"], !value.isNull {
            guard let flag = value.boolValue else { throw Self.invalid("enabled") }
            isEnabled = flag
        }
    }

    /// https, a host, no user name, no fragment, printable ASCII.
    private static func isPlausible(_ url: String) -> Bool {
        guard url.utf8.count <= maximumURLBytes, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            ASCII.lowercased(url.prefix(8)) == "https://", !url.contains("#"), !url.contains("\\")
        else { return false }
        let authority = url.dropFirst(8).prefix { $0 != "/" && $0 != "?" }
        return !authority.isEmpty && !authority.contains("@")
    }

    static func invalid(_ field: String, _ message: String? = nil) -> Refusal {
        Refusal(.requestInvalid, message: message, details: ["field": .string(field)])
    }
}
