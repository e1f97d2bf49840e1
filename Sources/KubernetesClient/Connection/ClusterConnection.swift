// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where an API server is and as whom it is spoken to.
package struct ClusterConnection: Sendable {
    /// `https://host:port`, with a path where the server stands behind one; no slash at the end.
    package var server: String
    /// The namespace that the connection's source names: the service account's, or the context's.
    package var namespace: String?
    /// The certificates that the server's own is checked against, PEM. Nil = the system's.
    package var certificateAuthority: Material?
    /// The name that the server's certificate must bear, where that is not the host of `server`.
    package var tlsServerName: String?
    /// The server's certificate is not checked at all.
    package var skipsServerVerification: Bool
    /// Through which proxy the server is reached; nil = directly.
    package var proxy: ClusterProxy?
    /// What is sent as `Authorization`.
    package var credential: ClusterCredential
    /// What is shown in the TLS handshake, PEM.
    package var clientCertificate: ClientCertificateSource?
    /// What a person should know about this connection, one sentence each.
    package var warnings: [String]

    /// A connection without credentials that trusts the system's authorities.
    package init(
        server: String, namespace: String? = nil, certificateAuthority: Material? = nil, tlsServerName: String? = nil,
        skipsServerVerification: Bool = false, proxy: ClusterProxy? = nil, credential: ClusterCredential = .none,
        clientCertificate: ClientCertificateSource? = nil, warnings: [String] = []
    ) {
        self.server = server
        self.namespace = namespace
        self.certificateAuthority = certificateAuthority
        self.tlsServerName = tlsServerName
        self.skipsServerVerification = skipsServerVerification
        self.proxy = proxy
        self.credential = credential
        self.clientCertificate = clientCertificate
        self.warnings = warnings
    }

    /// Bytes that are known, or a file that is read again when it changes.
    package enum Material: Sendable, Equatable {
        case bytes(Redacted<[UInt8]>)
        case file(String)
    }
}

/// A certificate chain and its key.
package struct ClientCertificateSource: Sendable, Equatable {
    package var certificate: ClusterConnection.Material
    package var key: ClusterConnection.Material

    package init(certificate: ClusterConnection.Material, key: ClusterConnection.Material) {
        self.certificate = certificate
        self.key = key
    }
}

/// Who Tollgate says that it is.
package enum ClusterCredential: Sendable, Equatable {
    /// Nobody, or whom the client certificate names.
    case none
    case token(Redacted<String>)
    /// A file that somebody else renews.
    case tokenFile(String)
    /// A program that prints a credential.
    case exec(ExecPlugin)
}

/// A proxy for the way to the server.
package struct ClusterProxy: Sendable, Equatable {
    /// How it is spoken to.
    package enum Kind: String, Sendable {
        case http, socks5
    }
    package var kind: Kind
    package var host: String
    package var port: Int
    /// `user:password` for an HTTP proxy.
    package var credentials: Redacted<String>?

    package init(kind: Kind, host: String, port: Int, credentials: Redacted<String>? = nil) {
        self.kind = kind
        self.host = host
        self.port = port
        self.credentials = credentials
    }
}
