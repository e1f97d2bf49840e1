// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// How the process calls itself towards an API server.
enum ClientName {
    /// `tollgate/<version> (<os>/<arch>) <role>`
    static func userAgent(role: String) -> String {
        #if arch(x86_64)
            let arch = "amd64"
        #elseif arch(arm64)
            let arch = "arm64"
        #else
            let arch = "unknown"
        #endif
        #if os(Linux)
            let system = "linux"
        #else
            let system = "darwin"
        #endif
        return "tollgate/\(ProductVersion.text) (\(system)/\(arch)) \(role)"
    }
}
