// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// What a credential plugin with `provideClusterInfo` is told about the cluster.
enum ExecClusterInfo {
    /// `spec.cluster` of an ExecCredential.
    static func document(of connection: ClusterConnection) -> JSONValue {
        var cluster: JSONObject = ["server": .string(connection.server)]
        if let name = connection.tlsServerName { cluster["tls-server-name"] = .string(name) }
        if connection.skipsServerVerification { cluster["insecure-skip-tls-verify"] = true }
        if let authority = connection.certificateAuthority, let bytes = bytes(of: authority) {
            cluster["certificate-authority-data"] = .string(Base64.encode(bytes))
        }
        if let proxy = connection.proxy {
            cluster["proxy-url"] = .string("\(proxy.kind.rawValue)://\(proxy.host):\(proxy.port)")
        }
        return .object(cluster)
    }

    private static func bytes(of material: ClusterConnection.Material) -> [UInt8]? {
        switch material {
        case .bytes(let bytes): bytes.revealed
        // The connection itself complains of a file that cannot be read.
        case .file(let path): try? DurableFile.read(path, limit: ClusterFile.maximumBytes)
        }
    }
}
