// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird

/// What the console is told about the installation.
package struct ConsoleSettings: Sendable, Hashable {
    /// Where people look at the metrics; nil where nobody said.
    package var dashboardURL: String?
    /// The version of the product.
    package var version: String

    package init(dashboardURL: String? = nil, version: String) {
        self.dashboardURL = dashboardURL
        self.version = version
    }
}

/// The console, and the page on which a browser signs in.
package struct ConsoleRoutes: OwnAPIModule {
    private let settings: ConsoleSettings

    package init(_ settings: ConsoleSettings) { self.settings = settings }

    package var routes: [OwnRoute] {
        [
            OwnRoute("GET", "/console", .read) { call throws(Refusal) in try page(call) },
            OwnRoute("GET", "/console/{file}", .read) { call throws(Refusal) in
                if call.captures[0] == "settings.json" { return json }
                guard let file = ConsoleFile.all[call.captures[0]], Self.isOfConsole(call.captures[0]) else {
                    throw Refusal(.requestNotFound)
                }
                return file.answer(to: call.exchange.headers)
            },
            OwnRoute("GET", Self.signIn, .read) { call throws(Refusal) in try Self.signIn(call) },
            OwnRoute("GET", "/v1/auth/browser/callback", .read) { _ throws(Refusal) in
                throw Refusal(.authLoginDisabled)
            },
        ]
    }

    /// Relative addresses of the page need the last slash.
    private func page(_ call: OwnCall) throws(Refusal) -> OwnAnswer {
        guard call.exchange.pathAsSent.hasSuffix("/") else { return .redirect(to: ReturnTarget.standard) }
        guard let file = ConsoleFile.all["index.html"] else { throw Refusal(.requestNotFound) }
        var answer = file.answer(to: call.exchange.headers)
        answer.isRecorded = true
        return answer
    }

    private var json: OwnAnswer {
        var answer = OwnAnswer.json([
            "dashboard_url": .optional(settings.dashboardURL), "version": .string(settings.version),
        ])
        answer.isRecorded = false
        answer.fields[.cacheControl] = "no-cache"
        return answer
    }

    /// The page is asked for as a whole, never by the name of its file.
    private static func isOfConsole(_ name: String) -> Bool { !name.hasSuffix(".html") && name != "sign-in.js" }
}

// MARK: - Signing in

extension ConsoleRoutes {
    /// Where a browser signs in.
    static let signIn = "/v1/auth/browser/login"
    /// What that page loads, under its own address, as nothing else is open to strangers.
    private static let signInFiles: Set<String> = ["style.css", "theme.js", "sign-in.js", "icon.svg"]

    private static func signIn(_ call: OwnCall) throws(Refusal) -> OwnAnswer {
        if let name = call.query["file"] {
            guard signInFiles.contains(name), let file = ConsoleFile.all[name] else {
                throw Refusal(.requestNotFound)
            }
            return file.answer(to: call.exchange.headers)
        }
        let target = escaped(ReturnTarget.path(call.query["return_to"]))
        let page = ConsoleFiles.signIn.replacing("{{return_to}}", with: target)
        return ConsoleFile(page, type: "text/html; charset=utf-8").answer(to: HeaderList())
    }

    /// A text as the value of an attribute.
    static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// Sends a browser that has no session, or one that is over, to sign in; nil for everybody else, who gets the refusal itself.
    ///
    /// - Parameter path: the canonical path that was asked for.
    static func detour(_ refusal: Refusal, _ exchange: Exchange, path: String?) -> Response? {
        guard refusal.code == .authMissingToken || refusal.code == .authSessionExpired,
            exchange.method == "GET" || exchange.method == "HEAD", let path,
            path == "/console" || path.hasPrefix("/console/"), AcceptField.prefersHTML(exchange.headers)
        else { return nil }
        let answer = OwnAnswer.redirect(to: "\(signIn)?return_to=\(ReturnTarget.standard)")
        return Response(status: .init(code: answer.status), headers: answer.fields)
    }
}

extension OwnAnswer {
    /// Sends the caller elsewhere, this once.
    static func redirect(to target: String) -> OwnAnswer {
        var answer = OwnAnswer(status: 302)
        answer.fields[.location] = target
        answer.fields[.cacheControl] = "no-store"
        return answer
    }
}
