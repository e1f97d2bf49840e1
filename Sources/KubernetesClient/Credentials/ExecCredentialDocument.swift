// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What a credential plugin is told and what it prints.
///
/// Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
enum ExecCredentialDocument {
    /// A credential and until when it is good.
    struct Answer: Sendable, Equatable {
        var credential: Credential
        var expires: Timestamp?
    }

    /// The value of `KUBERNETES_EXEC_INFO`.
    static func info(for plugin: ExecPlugin, cluster: JSONValue?) -> String {
        var spec: JSONObject = ["interactive": false]
        if plugin.providesClusterInfo, let cluster { spec["cluster"] = cluster }
        let document: JSONObject = [
            "apiVersion": .string(plugin.version.rawValue), "kind": "ExecCredential", "spec": .object(spec),
        ]
        return JSONValue.object(document).jsonText
    }

    /// Reads what a plugin printed.
    ///
    /// - Throws: `malformedAnswer`; the message never quotes what was printed, for it may be a credential.
    static func answer(_ bytes: [UInt8], of plugin: ExecPlugin) throws(ExecPluginError) -> Answer {
        func fault(_ words: String) -> ExecPluginError {
            ExecPluginError(
                .malformedAnswer, "the credential plugin \(plugin.command) printed no ExecCredential: \(words)")
        }
        let document: JSONValue
        do {
            document = try JSONParser.parse(bytes, limits: .init(depth: 32, values: 1000))
        } catch {
            throw fault("it is not JSON (\(error))")
        }
        guard document["kind"]?.stringValue == "ExecCredential" else { throw fault("kind must be ExecCredential") }
        guard document["apiVersion"]?.stringValue == plugin.version.rawValue else {
            throw fault("apiVersion must be \(plugin.version.rawValue), as the kubeconfig says")
        }
        guard let status = document["status"], status.objectValue != nil else { throw fault("status is missing") }
        var credential = Credential()
        if let token = status["token"]?.stringValue, !token.isEmpty {
            guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw fault("status.token must be visible ASCII")
            }
            credential.token = Redacted(token)
        }
        switch (status["clientCertificateData"]?.stringValue, status["clientKeyData"]?.stringValue) {
        case (nil, nil): break
        case (let certificate?, let key?):
            credential.certificate = .init(certificate: Array(certificate.utf8), key: Redacted(Array(key.utf8)))
        default: throw fault("status.clientCertificateData and status.clientKeyData belong together")
        }
        guard credential.token != nil || credential.certificate != nil else {
            throw fault("status has neither token nor clientCertificateData")
        }
        guard let text = status["expirationTimestamp"], !text.isNull else { return Answer(credential: credential) }
        guard let expires = text.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else {
            throw fault("status.expirationTimestamp must be an RFC 3339 time")
        }
        return Answer(credential: credential, expires: expires)
    }
}
