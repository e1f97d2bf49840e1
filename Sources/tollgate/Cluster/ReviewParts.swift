// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import KubernetesClient
internal import Logging
internal import ServiceLifecycle

/// What judges the tokens of a cluster, and how it learns which ones those are.
struct ReviewParts: Sendable {
    private static let issuerInterval = Duration.seconds(60)
    private static let maximumTokenBytes = 64 << 10

    let reviews: TokenReviews
    private let credential: ClusterCredential

    /// Nil where there is no cluster to ask.
    init?(_ origin: ObjectOrigin, clock: any WallClock, metrics: AuthenticationMetrics, logger: Logger) {
        guard case .cluster(let link) = origin else { return nil }
        credential = link.credential
        reviews = TokenReviews(
            reviewer: TokenReviewer(api: link.api), clock: clock, metrics: metrics, logger: logger)
        lookForIssuer()
    }

    /// What has to run as long as tokens are judged.
    var services: [any Service] {
        [
            ClosureService(name: "token reviews") { [reviews] in await reviews.run() },
            ClosureService(name: "token issuer") { [self] in
                repeat {
                    lookForIssuer()
                    // A cancelled pause ends the loop.
                    try? await Task.sleep(for: Self.issuerInterval)
                } while !Task.isCancelled
            },
        ]
    }

    /// A token of another sort, or one that cannot be read just now, says nothing: what was known stays.
    private func lookForIssuer() {
        let token: Redacted<String>?
        switch credential {
        case .token(let text): token = text
        case .tokenFile(let path):
            // The client of the API reads the same file and says what is wrong with it.
            token = (try? DurableFile.read(path, limit: Self.maximumTokenBytes)).flatMap(\.self)
                .map { Redacted(String(decoding: $0, as: UTF8.self)) }
        case .none, .exec: token = nil
        }
        if let issuer = token.flatMap(ServiceAccountToken.issuer) { reviews.use(clusterIssuer: issuer) }
    }
}
