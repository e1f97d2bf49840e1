// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "tollgate",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "tollgate", targets: ["tollgate"])],
    dependencies: [
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // Layer 0
        .target(name: "Essentials", dependencies: [.logging, .metrics, .crypto]),
        // Layer 1
        .target(name: "ResourceModel", dependencies: ["Essentials"]),
        .target(
            name: "Authentication",
            dependencies: ["Essentials", .crypto, .cryptoExtras, .jwtKit, .x509, .swiftASN1, .logging, .metrics]),
        .target(name: "Authorization", dependencies: ["Essentials", .crypto]),
        .target(name: "Billing", dependencies: ["Essentials", .crypto, .logging, .metrics]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "AuditTrail", dependencies: ["Essentials", "CZlib", .crypto, .logging, .metrics]),
        .target(name: "ToolTrust", dependencies: ["Essentials", .crypto]),
        .target(name: "Healing", dependencies: ["Essentials", .crypto]),
        // Layer 2
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Persistence",
            dependencies: [
                "Essentials", "Authentication", "Authorization", "Billing", "AuditTrail", "Healing", "CPQ", .grdb,
                .grdbSQLite, .crypto, .logging, .metrics,
            ]),
        .target(
            name: "Connectors",
            dependencies: [
                "Essentials", "Authentication", "Authorization", "Billing", "Healing", .asyncHTTPClient, .nioCore,
                .nioPosix,
                .nioHTTP1, .nioSSL, .crypto, .logging, .metrics,
            ]),
        .target(
            name: "KubernetesClient",
            dependencies: [
                "Essentials", "ResourceModel", .asyncHTTPClient, .nioCore, .nioPosix, .nioHTTP1, .nioHTTP2,
                .nioSSL, .nioFoundationCompat, .x509, .yams, .subprocess, .logging, .metrics,
            ]),
        .target(
            name: "ControllerRuntime", dependencies: ["Essentials", "ResourceModel", .logging, .metrics]),
        .systemLibrary(name: "CInotify"),
        .target(
            name: "ManifestFiles",
            dependencies: ["Essentials", "ResourceModel", "Authorization", "CInotify", .yams, .logging]),
        .target(
            name: "RuntimeState",
            dependencies: ["Essentials", "Authentication", "Authorization", "Billing", .logging, .metrics]),
        // Layer 3
        .target(
            name: "Reconcilers",
            dependencies: [
                "Essentials", "ResourceModel", "Authentication", "Authorization", "Billing", "AuditTrail",
                "ToolTrust", "ManifestFiles", "ControllerRuntime", "RuntimeState", .logging, .metrics,
            ]),
        .target(
            name: "SelfManagement",
            dependencies: [
                "Essentials", "ResourceModel", "AuditTrail", "Healing", "ManifestFiles", "ControllerRuntime", .yams,
                .logging, .metrics,
            ]),
        .target(
            name: "Pipeline",
            dependencies: [
                "Essentials", "Authentication", "Authorization", "Billing", "AuditTrail", "RuntimeState", .logging,
                .metrics,
            ]),
        // Layer 4
        .target(
            name: "HTTPService",
            dependencies: [
                "Essentials", "Authentication", "Authorization", "Billing", "AuditTrail", "Healing", "RuntimeState",
                "Pipeline", .hummingbird, .hummingbirdCore, .hummingbirdTLS, .hummingbirdHTTP2, .httpTypes, .nioCore,
                .nioPosix,
                .nioHTTP1, .nioHTTPTypes, .nioHTTPTypesHTTP1, .nioSSL, .nioCertificateReloading, .crypto, .logging,
                .metrics, .coreMetrics, .serviceLifecycle,
            ]),
        .target(
            name: "ExtAuthzService",
            dependencies: [
                "Essentials", "Authentication", "Authorization", "Pipeline", .grpcCore, .grpcNIOTransport,
                .grpcProtobuf,
                .swiftProtobuf, .nioCore, .nioPosix, .nioSSL, .nioTLS,
                .nioCertificateReloading, .logging, .serviceLifecycle,
            ],
            exclude: ["Protos"]),
        // Layer 5
        .executableTarget(
            name: "tollgate",
            dependencies: [
                "Essentials", "ResourceModel", "Authentication", "Authorization", "Billing", "AuditTrail",
                "ToolTrust", "Healing", "Persistence", "KubernetesClient", "ControllerRuntime",
                "Connectors", "ManifestFiles", "RuntimeState", "Reconcilers", "SelfManagement", "Pipeline",
                "HTTPService",
                "ExtAuthzService", .argumentParser, .tomlKit, .asyncHTTPClient, .nioCore, .nioPosix, .nioHTTP1,
                .logging, .metrics,
                .serviceLifecycle, .unixSignals,
            ]),
        // Tests mirror Sources; TestSupport holds what several of them need.
        .target(
            name: "TestSupport",
            dependencies: [
                "Essentials", "ResourceModel", "Authentication", "Authorization", "Billing", "AuditTrail", "Healing",
                .crypto, .cryptoExtras, .logging, .metrics, .nioCore, .nioHTTP1, .nioPosix, .nioSSL, .x509, .swiftASN1,
                .yams,
            ],
            path: "Tests/TestSupport"),
        .testTarget(name: "EssentialsTests", dependencies: ["Essentials", "TestSupport", .crypto]),
        .testTarget(name: "ResourceModelTests", dependencies: ["ResourceModel", "Essentials", "TestSupport"]),
        .testTarget(
            name: "AuthenticationTests",
            dependencies: [
                "Authentication", "Essentials", "TestSupport", .crypto, .cryptoExtras, .jwtKit, .x509, .swiftASN1,
                .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(name: "AuthorizationTests", dependencies: ["Authorization", "Essentials", "TestSupport"]),
        .testTarget(
            name: "BillingTests",
            dependencies: ["Billing", "Essentials", "TestSupport", .logging, .metrics, .metricsTestKit]),
        .testTarget(
            name: "AuditTrailTests",
            dependencies: ["AuditTrail", "Essentials", "TestSupport", .crypto, .logging, .metrics]),
        .testTarget(name: "ToolTrustTests", dependencies: ["ToolTrust", "Essentials", "TestSupport", .crypto]),
        .testTarget(name: "HealingTests", dependencies: ["Healing", "Essentials", "TestSupport"]),
        .testTarget(
            name: "KubernetesClientTests",
            dependencies: [
                "KubernetesClient", "ResourceModel", "Essentials", "TestSupport", .nioCore, .nioPosix, .nioHTTP1,
                .nioSSL, .crypto, .x509, .swiftASN1, .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(
            name: "ControllerRuntimeTests",
            dependencies: [
                "ControllerRuntime", "ResourceModel", "Essentials", "TestSupport", .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(
            name: "PersistenceTests",
            dependencies: [
                "Persistence", "Authentication", "Authorization", "AuditTrail", "Billing", "Essentials", "TestSupport",
                .grdb, .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(
            name: "ConnectorsTests",
            dependencies: [
                "Connectors", "Billing", "Authentication", "Authorization", "Healing", "Essentials", "TestSupport",
                .nioCore, .nioPosix,
                .nioHTTP1, .nioSSL, .crypto, .x509, .swiftASN1, .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(
            name: "ManifestFilesTests", dependencies: ["ManifestFiles", "ResourceModel", "Essentials", "TestSupport"]),
        .testTarget(
            name: "ReconcilersTests",
            dependencies: [
                "Reconcilers", "ControllerRuntime", "ManifestFiles", "ResourceModel", "RuntimeState", "Authentication",
                "Authorization", "Billing", "AuditTrail", "ToolTrust", "Essentials", "TestSupport", .logging, .metrics,
                .metricsTestKit,
            ]),
        .testTarget(
            name: "SelfManagementTests",
            dependencies: [
                "SelfManagement", "KubernetesClient", "ControllerRuntime", "ResourceModel", "AuditTrail", "Healing",
                "Essentials", "TestSupport",
                .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(
            name: "PipelineTests",
            dependencies: [
                "Pipeline", "Reconcilers", "ResourceModel", "RuntimeState", "Authentication", "Authorization",
                "Billing", "AuditTrail", "Essentials", "TestSupport", .logging, .metrics, .metricsTestKit,
            ]),
        .testTarget(
            name: "HTTPServiceTests",
            dependencies: [
                "HTTPService", "Pipeline", "Reconcilers", "RuntimeState", "Authentication", "Authorization", "Billing",
                "AuditTrail", "Healing", "Persistence", "Essentials", "TestSupport", .metricsTestKit, .hummingbird,
                .hummingbirdTesting, .httpTypes, .nioCore,
                .nioPosix, .asyncHTTPClient, .nioHTTP1, .nioSSL, .serviceLifecycle, .logging, .coreMetrics, .crypto,
                .x509, .swiftASN1,
            ]),
        .testTarget(
            name: "ExtAuthzServiceTests",
            dependencies: [
                "ExtAuthzService", "Pipeline", "RuntimeState", "Authentication", "Authorization", "AuditTrail",
                "Essentials", "TestSupport", .grpcCore, .grpcNIOTransport, .grpcProtobuf, .swiftProtobuf, .nioCore,
                .nioPosix, .nioSSL, .nioCertificateReloading, .serviceLifecycle, .logging, .metrics, .metricsTestKit,
                .crypto, .x509, .swiftASN1,
            ]),
        .testTarget(
            name: "TollgateTests",
            dependencies: [
                "tollgate", "Connectors", "KubernetesClient", "ManifestFiles", "ResourceModel", "RuntimeState",
                "HTTPService", "Authentication", "Authorization", "AuditTrail", "Billing", "Persistence", "ToolTrust",
                "Healing", "SelfManagement", "Essentials", "TestSupport", .logging, .metrics,
            ]),
        .testTarget(
            name: "CaseTests",
            dependencies: [
                "tollgate", "HTTPService", "ExtAuthzService", "Pipeline", "Reconcilers", "SelfManagement",
                "ResourceModel",
                "RuntimeState", "Persistence", "ControllerRuntime", "Healing",
                "Authentication", "Authorization", "Billing", "AuditTrail", "Essentials", "TestSupport", .crypto,
                .cryptoExtras,
                .jwtKit, .logging, .metrics, .hummingbird, .hummingbirdTesting, .httpTypes, .nioCore,
            ]),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "KubernetesClient", "ResourceModel", "Essentials", "TestSupport", .crypto, .logging, .metrics,
            ]),
        .testTarget(
            name: "PeerTests",
            dependencies: [
                "Connectors", "Billing", "Persistence", "AuditTrail", "Authorization", "Authentication", "Healing",
                "Essentials",
                "TestSupport", .crypto, .logging, .metrics, .metricsTestKit, .grdb, .x509, .swiftASN1,
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// The benchmarks are no part of an ordinary build: Benchmarks/run.sh asks for them.
if Context.environment["TOLLGATE_BENCHMARKS"] != nil {
    package.targets += [
        .executableTarget(
            name: "BareServer", dependencies: [.hummingbird, .nioCore, .logging], path: "Benchmarks/BareServer"),
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "MicroBenchmarks",
            dependencies: [
                "CAllocationCounter", "HTTPService", "Pipeline", "Connectors", "Billing", "RuntimeState",
                "ManifestFiles", "Persistence",
                "Authentication", "Authorization", "AuditTrail", "Essentials", "TestSupport", .logging, .metrics,
            ],
            path: "Benchmarks/Micro"),
        .executableTarget(
            name: "OperatorBenchmark",
            dependencies: [
                "KubernetesClient", "ResourceModel", "ToolTrust", "Essentials", "TestSupport", .asyncHTTPClient,
                .nioCore, .nioHTTP1, .logging, .metrics,
            ],
            path: "Benchmarks/Operator"),
    ]
}

// One setting for every Swift target of the product and its tests.
for target in package.targets where target.type != .system && target.name != "CAllocationCounter" {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),  // SE-0335
            .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
            .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
            .enableUpcomingFeature("InferIsolatedConformances"),  // SE-0470
            .treatAllWarnings(as: .error),
        ]
}

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let coreMetrics = product(name: "CoreMetrics", package: "swift-metrics")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let grdbSQLite = product(name: "GRDBSQLite", package: "GRDB.swift")
    static let grpcCore = product(name: "GRPCCore", package: "grpc-swift-2")
    static let grpcNIOTransport = product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
    static let grpcProtobuf = product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdHTTP2 = product(name: "HummingbirdHTTP2", package: "hummingbird")
    static let hummingbirdTLS = product(name: "HummingbirdTLS", package: "hummingbird")
    static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
    static let jwtKit = product(name: "JWTKit", package: "jwt-kit")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let metricsTestKit = product(name: "MetricsTestKit", package: "swift-metrics")
    static let nioCertificateReloading = product(name: "NIOCertificateReloading", package: "swift-nio-extras")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioFoundationCompat = product(name: "NIOFoundationCompat", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioHTTP2 = product(name: "NIOHTTP2", package: "swift-nio-http2")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioHTTPTypesHTTP1 = product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let swiftASN1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let swiftProtobuf = product(name: "SwiftProtobuf", package: "swift-protobuf")
    static let tomlKit = product(name: "TOMLKit", package: "TOMLKit")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let x509 = product(name: "X509", package: "swift-certificates")
    static let yams = product(name: "Yams", package: "Yams")
}
