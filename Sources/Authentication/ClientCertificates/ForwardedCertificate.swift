// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import Foundation
internal import SwiftASN1

/// Reads `X-Forwarded-Client-Cert`, as Envoy writes it. Only what a trusted proxy sent may come here.
package enum ForwardedCertificate {
    /// The lower-case name of the header.
    package static let headerName = "x-forwarded-client-cert"
    private static let maximumBytes = 65_536

    /// The certificate of the last element: the one that the nearest proxy saw.
    ///
    /// - Parameter value: the header's value; several lines joined by commas.
    /// - Returns: nil when the header cannot be read, or has neither `Hash` nor `Cert`, or they contradict each other.
    package static func parse(_ value: String) -> ClientCertificate? {
        guard value.utf8.count <= maximumBytes, let element = lastElement(Array(value.utf8)) else { return nil }
        func all(_ name: String) -> [String] { element.filter { $0.name == name }.map(\.value) }
        let hashes = all("hash")
        guard hashes.count <= 1 else { return nil }
        if let text = all("cert").first {
            guard let der = certificateBytes(text), let certificate = ClientCertificate(der: der),
                hashes.first.map({ ASCII.lowercased($0) == certificate.fingerprint }) ?? true
            else { return nil }
            return certificate
        }
        guard let hash = hashes.first else { return nil }
        return ClientCertificate(
            fingerprint: hash, uris: all("uri").filter { !$0.isEmpty }, dnsNames: all("dns").filter { !$0.isEmpty },
            distinguishedName: all("subject").first)
    }

    private static func certificateBytes(_ text: String) -> [UInt8]? {
        // Text that is no certificate makes the header unreadable; why does not matter.
        guard let pem = text.removingPercentEncoding, let document = try? PEMDocument(pemString: pem),
            document.discriminator == "CERTIFICATE"
        else { return nil }
        return document.derBytes
    }

    private typealias Pair = (name: String, value: String)

    /// Elements are separated by commas, pairs by semicolons; values may stand in double quotes, where `\` takes the next byte as it is.
    private static func lastElement(_ bytes: [UInt8]) -> [Pair]? {
        var elements: [[Pair]] = [[]]
        var position = 0
        while position < bytes.count {
            guard let pair = readPair(bytes, &position) else { return nil }
            if let pair { elements[elements.count - 1].append(pair) }
            guard position < bytes.count else { break }
            if bytes[position] == UInt8(ascii: ",") { elements.append([]) }
            position += 1
        }
        guard let last = elements.last, !last.isEmpty else { return nil }
        return last
    }

    /// Reads up to a separator or the end. The outer nil means unreadable, the inner one an empty pair.
    private static func readPair(_ bytes: [UInt8], _ position: inout Int) -> Pair?? {
        var name: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "=") {
            guard bytes[position] != UInt8(ascii: ","), bytes[position] != UInt8(ascii: ";") else {
                let isEmpty = name.allSatisfy(ASCII.isWhiteSpace)
                return isEmpty ? .some(nil) : nil
            }
            name.append(bytes[position])
            position += 1
        }
        guard position < bytes.count else { return name.allSatisfy(ASCII.isWhiteSpace) ? .some(nil) : nil }
        position += 1
        guard let value = readValue(bytes, &position), let text = String(validating: value, as: UTF8.self) else {
            return nil
        }
        return .some((ASCII.lowercased(ASCII.trimmed(String(decoding: name, as: UTF8.self))), text))
    }

    private static func readValue(_ bytes: [UInt8], _ position: inout Int) -> [UInt8]? {
        var value: [UInt8] = []
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            while position < bytes.count, bytes[position] != UInt8(ascii: ","), bytes[position] != UInt8(ascii: ";") {
                guard bytes[position] != UInt8(ascii: "\"") else { return nil }
                value.append(bytes[position])
                position += 1
            }
            return Array(ASCII.trimmed(String(decoding: value, as: UTF8.self)).utf8)
        }
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\") { position += 1 }
            guard position < bytes.count else { return nil }
            value.append(bytes[position])
            position += 1
        }
        guard position < bytes.count else { return nil }
        position += 1
        while position < bytes.count, ASCII.isWhiteSpace(bytes[position]) { position += 1 }
        let ends =
            position == bytes.count || bytes[position] == UInt8(ascii: ",") || bytes[position] == UInt8(ascii: ";")
        return ends ? value : nil
    }
}
