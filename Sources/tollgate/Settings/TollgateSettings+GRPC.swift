// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

extension TollgateSettings {
    /// Reads where Envoy is answered over gRPC.
    ///
    /// - Parameters:
    ///   - taken: the addresses of the other listeners.
    ///   - absolute: makes a path absolute.
    static func grpc(
        _ reader: inout SettingsReader, besides taken: [ListenAddress], hasTLS: Bool, absolute: (String) -> String
    ) -> GRPCListenerSettings? {
        let authorities = reader.optional(SettingsCatalog.grpcClientAuthorities)
        guard let address = reader.optional(SettingsCatalog.grpcListen) else {
            if authorities != nil {
                reader.problem("TOLLGATE_GRPC_CLIENT_CA_FILE", "TOLLGATE_GRPC_LISTEN is not set: set both or neither")
            }
            return nil
        }
        if address.port != 0, taken.contains(address) {
            reader.problem("TOLLGATE_GRPC_LISTEN", "another listener has \(address): choose another port")
        }
        if authorities != nil, !hasTLS {
            reader.problem(
                "TOLLGATE_GRPC_CLIENT_CA_FILE",
                "it needs TLS: set TOLLGATE_TLS_CERT_FILE and TOLLGATE_TLS_KEY_FILE as well")
        }
        return GRPCListenerSettings(address: address, clientAuthorities: authorities.map(absolute))
    }
}
