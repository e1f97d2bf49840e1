// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

extension ControlPlane {
    /// The port of the API server.
    func port() throws -> Int {
        let document = try YAMLText.json(String(contentsOfFile: kubeconfig, encoding: .utf8))
        let server = document["clusters"]?.arrayValue?.first?["cluster"]?["server"]?.stringValue
        guard let port = server?.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw PeerFault(message: "\(kubeconfig) names no server with a port")
        }
        return port
    }

    /// A kubeconfig file by which the API server is reached through a proxy.
    func kubeconfig(through proxy: CuttingProxy, named name: String) throws -> String {
        let text = try String(contentsOfFile: kubeconfig, encoding: .utf8)
            .replacing("127.0.0.1:\(try port())", with: "127.0.0.1:\(proxy.port)")
        return try folder.write(text, to: "\(name).kubeconfig")
    }
}
