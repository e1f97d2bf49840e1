// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
package import Authentication
package import Billing
package import Essentials
internal import NIOCore
internal import NIOHTTP1
package import NIOSSL

/// Posts webhooks to addresses that accounts name: https only, to an address that was checked after the name was resolved, without redirects,
/// twenty seconds at most.
package struct WebhookSender: WebhookSending {
    /// The most bytes of an answer that are read; what it says is not used.
    private static let maximumBytes = 65_536
    private static let maximumAddresses = 3

    private let egress: EgressRules
    private let addresses: AddressGuard
    private let tls: TLSConfiguration
    private let limit: Duration
    private let clock: any WallClock
    private let time: any MonotonicClock

    /// - Parameter limit: of one attempt, whatever it waits for.
    package init(
        egress: EgressRules, resolver: any AddressResolving = SystemResolver(),
        tls: TLSConfiguration = .makeClientConfiguration(), limit: Duration = .seconds(20),
        clock: any WallClock = SystemWallClock(), time: any MonotonicClock = SystemMonotonicClock()
    ) {
        self.egress = egress
        addresses = AddressGuard(egress: egress, resolver: resolver)
        self.tls = tls
        self.limit = limit
        self.clock = clock
        self.time = time
    }

    package func check(_ url: String) throws(Refusal) {
        do {
            _ = try target(url)
        } catch {
            throw Refusal(.requestInvalid, message: error.message, details: ["field": "url"])
        }
    }

    package func send(_ body: [UInt8], headers: WebhookHeaders, to url: String) async -> WebhookAnswer {
        let target: EgressRules.Target
        do {
            target = try self.target(url)
        } catch {
            return .forbidden(error.message)
        }
        let answer = await time.limited(to: limit) { await attempt(body, headers, target) }
        return answer ?? .unreachable("no answer within \(limit)")
    }

    private func target(_ url: String) throws(EgressFault) -> EgressRules.Target {
        let target = try egress.check(url, trust: .object)
        guard target.url.scheme == .https else { throw EgressFault(.plainTextForbidden, "https is required") }
        return target
    }

    private func attempt(
        _ body: [UInt8], _ headers: WebhookHeaders, _ target: EgressRules.Target
    ) async -> WebhookAnswer {
        guard target.demandsAddressCheck else { return await post(body, headers, target.url, at: nil) }
        let found: [IPAddress]
        do {
            found = try await addresses.addresses(of: target)
        } catch {
            switch error {
            case .unresolved: return .unreachable("the host name cannot be resolved")
            case .forbidden: return .forbidden("the address of the host is neither public nor allowed")
            }
        }
        var answer = WebhookAnswer.unreachable("the host has no address")
        for address in found.prefix(Self.maximumAddresses) {
            answer = await post(body, headers, target.url, at: address)
            guard case .unreachable = answer, !Task.isCancelled else { return answer }
        }
        return answer
    }

    private func post(
        _ body: [UInt8], _ headers: WebhookHeaders, _ url: EndpointURL, at address: IPAddress?
    ) async -> WebhookAnswer {
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .nanoseconds(limit.wholeMicroseconds * 1000))
        if let address, url.literalAddress == nil { configuration.dnsOverride = [url.host: address.description] }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let answer = await send(body, headers, url, with: client)
        // The answer is here or not; a connection that does not close in order changes nothing about it.
        try? await client.shutdown()
        return answer
    }

    private func send(
        _ body: [UInt8], _ headers: WebhookHeaders, _ url: EndpointURL, with client: HTTPClient
    ) async -> WebhookAnswer {
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate")
        for header in headers.list { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, deadline: .distantFuture)
            // Its head says all; a body that does not end changes nothing about it.
            _ = try? await response.body.collect(upTo: Self.maximumBytes)
            return .status(
                Int(response.status.code),
                retryAfterSeconds: response.headers.first(name: "retry-after").flatMap {
                    RetryAfter.seconds($0, at: clock.now())
                })
        } catch let error as HTTPClientError {
            return .unreachable(error.shortDescription)
        } catch {
            return .unreachable("\(type(of: error))")
        }
    }
}
