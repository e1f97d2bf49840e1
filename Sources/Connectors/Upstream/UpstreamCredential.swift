// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// What a sidecar proves itself with: a fixed text, or a file that is read before every call, because the kubelet renews it.
package final class UpstreamCredential: Sendable {
    private static let maximumBytes = 64 << 10

    private enum Source: Sendable {
        case text(Redacted<String>)
        case file(String)
    }

    private let source: Source
    private let last = Mutex<Redacted<String>?>(nil)

    /// A credential that stays.
    package init(text: Redacted<String>) { source = .text(text) }

    /// A credential in a file; while that cannot be read, the last text that could is used.
    package init(file: String) { source = .file(file) }

    /// The text to send now.
    ///
    /// - Throws: `noCredential` while there has never been one.
    package func current() throws(UpstreamError) -> Redacted<String> {
        guard case .file(let path) = source else {
            if case .text(let text) = source { return text }
            throw UpstreamError(.noCredential, "there is no credential")
        }
        let problem: String
        do throws(DurableFile.Failure) {
            let bytes = try DurableFile.read(path, limit: Self.maximumBytes)
            let text = bytes.map { ASCII.trimmed(String(decoding: $0, as: UTF8.self)) } ?? ""
            if Self.isSendable(text) {
                let found = Redacted(text)
                last.withLock { $0 = found }
                return found
            }
            problem = bytes == nil ? "is not there" : "holds no token"
        } catch {
            problem = "cannot be read: \(error)"
        }
        if let known = last.withLock({ $0 }) { return known }
        throw UpstreamError(
            .noCredential,
            "TOLLGATE_UPSTREAM_TOKEN_FILE: \(path) \(problem). Mount a projected token with audience tollgate there, or set TOLLGATE_TOKEN."
        )
    }

    /// Whether a text can stand in a header.
    private static func isSendable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
