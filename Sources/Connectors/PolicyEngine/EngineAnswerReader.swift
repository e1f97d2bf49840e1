// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Essentials

/// Reads what a policy engine answers to `POST {path}`: `{"result": …}`, a decision object or a boolean.
package enum EngineAnswerReader {
    /// The most bytes of an answer.
    package static let maximumBytes = 65_536

    /// Why an answer cannot be used. None of these lets anything pass.
    package enum Fault: String, Error, Sendable, CaseIterable {
        case tooLarge = "the answer is over 64 KiB"
        case noJSON = "the answer is no JSON object"
        case undefined = "the answer has no result: the path names no rule"
        case badResult = "the result is neither a decision nor a boolean"
        case contradiction = "the result allows and gives reasons against it, or refuses and gives none"
    }

    /// - Returns: never `unavailable`.
    package static func read(_ body: [UInt8]) -> Result<EngineAnswer, Fault> {
        guard body.count <= maximumBytes else { return .failure(.tooLarge) }
        let document: JSONValue
        do throws(JSONParser.Failure) {
            document = try JSONParser.parse(body)
        } catch {
            return .failure(.noJSON)
        }
        guard let members = document.objectValue else { return .failure(.noJSON) }
        guard let result = members["result"] else { return .failure(.undefined) }
        if let passes = result.boolValue { return .success(.roleCheck(passes)) }
        // Helper rules of the package may stand beside the three that are asked for.
        guard let allow = result["allow"]?.boolValue, let reasons = texts(result["reasons"]),
            let roles = texts(result["effective_roles"])
        else { return .failure(.badResult) }
        guard allow == reasons.isEmpty else { return .failure(.contradiction) }
        return .success(.decision(allow: allow, reasons: reasons, effectiveRoles: roles))
    }

    private static func texts(_ value: JSONValue?) -> [String]? {
        guard let elements = value?.arrayValue else { return nil }
        var texts: [String] = []
        texts.reserveCapacity(elements.count)
        for element in elements {
            guard let text = element.stringValue else { return nil }
            texts.append(text)
        }
        return texts
    }
}
