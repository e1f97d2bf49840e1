// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Healing

/// Makes silences through Alertmanager's API v2.
///
/// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
package struct AlertmanagerClient: SilenceMaking {
    private let url: String
    private let poster: OutboundPoster

    /// - Parameter url: `ALERTMANAGER_URL`, without a slash at the end.
    package init(url: String, poster: OutboundPoster) {
        self.url = url
        self.poster = poster
    }

    package func create(_ silence: JSONObject) async throws(Refusal) -> String {
        let answer: OutboundPoster.Answer
        do {
            answer = try await poster.post(
                JSONValue.object(silence).encoded(), to: Redacted("\(url)/api/v2/silences"))
        } catch {
            throw Self.failed(error.message)
        }
        guard (200..<300).contains(answer.status) else { throw Self.failed("it answered \(answer.status)") }
        // An answer that is no JSON names no silence, and that is what is said.
        guard let id = (try? JSONParser.parse(answer.body))?["silenceID"]?.stringValue,
            (1...128).contains(id.utf8.count)
        else { throw Self.failed("its answer names no silence") }
        return id
    }

    private static func failed(_ reason: String) -> Refusal {
        Refusal(.healingAlertmanagerFailed, message: "Alertmanager did not take the silence: \(reason)")
    }
}
