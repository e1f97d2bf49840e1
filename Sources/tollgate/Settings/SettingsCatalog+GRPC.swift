// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

// The gRPC door of Envoy.
extension SettingsCatalog {
    static let grpcListen = Setting(
        "TOLLGATE_GRPC_LISTEN", .listenAddress, defaultNote: "off", in: .listeners,
        "Where Envoy's ext_authz over gRPC and grpc.health.v1 are answered; 0.0.0.0:50051 is usual.")
    static let grpcClientAuthorities = Setting(
        "TOLLGATE_GRPC_CLIENT_CA_FILE", .path(), in: .listeners,
        "PEM file of authorities; a gRPC client with a certificate of theirs may ask from any address. Needs TLS; read again when it changes."
    )

    /// In the order of the table.
    static let grpc: [SettingInfo] = [grpcListen.info, grpcClientAuthorities.info]
}
