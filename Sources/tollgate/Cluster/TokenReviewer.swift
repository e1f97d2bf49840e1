// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import ResourceModel

/// Asks the API server about tokens.
struct TokenReviewer: TokenReviewing {
    let api: any KubernetesAPI

    func review(_ token: Redacted<String>, audiences: [String]) async throws(TokenReviewError) -> TokenReviewStatus {
        let answer: JSONValue
        do throws(KubernetesError) {
            answer = try await api.create(
                TokenReviewDocument.request(token, audiences: audiences), in: .tokenReviews, namespace: nil, name: nil,
                subresource: nil)
        } catch {
            throw Self.fault(error)
        }
        return try TokenReviewDocument.status(of: answer)
    }

    private static func fault(_ error: KubernetesError) -> TokenReviewError {
        switch error.code {
        case .forbidden, .unauthorized:
            TokenReviewError(
                .forbidden,
                "the API server does not let Tollgate create tokenreviews: set rbac.tokenReview of the chart (\(error.code.rawValue))"
            )
        case .malformedAnswer: TokenReviewError(.malformedAnswer, error.message)
        // An API server that refuses the document may repeat it, and the token stands in it.
        case .badRequest, .invalid:
            TokenReviewError(.unavailable, "the API server refuses the question: \(error.code.rawValue)")
        default: TokenReviewError(.unavailable, "\(error)", retryAfter: error.retryAfter)
        }
    }
}
