// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel
internal import Synchronization

/// What the fake API server does wrong.
package enum APIFault: Sendable {
    // Instead of an answer.

    /// A Status with that HTTP status; nothing is carried out.
    case refuse(Int, reason: String = "", message: String = "refused by the test", retryAfterSeconds: Int? = nil)
    /// 403 in the server's words.
    case forbid
    /// 401.
    case unauthorized
    /// Nothing is ever answered; nothing is carried out.
    case hang
    /// The connection is closed; nothing is carried out.
    case drop
    /// The request is carried out and the connection closed before the answer.
    case loseAnswer

    // Before the answer.

    /// It comes when the gate is opened.
    case hold(FaultGate)

    // In the body of an answer or in a watch.

    /// Every byte is a chunk of its own.
    case bytewise
    /// The body of an answer ends in the middle.
    case cutBody
    /// The body of an answer is not JSON.
    case garbledBody

    // In a watch, after so many events.

    /// An ERROR event with 410, then the end.
    case gone(after: Int = 0)
    /// Another ERROR event, then the end.
    case errorEvent(Int, reason: String, message: String = "made by the test", after: Int = 0)
    /// The server ends the watch as at its time-out.
    case end(after: Int = 0)
    /// The connection is lost in the middle of the next line.
    case cutInLine(after: Int = 0)
    /// No byte any more, the connection open.
    case silence(after: Int = 0)
    /// A line that is not JSON.
    case garbage(after: Int = 0)
    /// A line of so many bytes.
    case oversized(bytes: Int, after: Int = 0)

    // In a watch, throughout.

    /// So many events come in one chunk, cut elsewhere than between lines.
    case merged(Int)
    /// Every event comes twice.
    case duplicated
    /// Of every two events the second comes first.
    case swapped
    /// No bookmarks, whatever the request says.
    case withoutBookmarks
    /// Streaming lists are refused with 422, as old servers do.
    case refuseWatchList
}

/// Holds answers back until a test lets them go.
package final class FaultGate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// How many answers wait.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Lets everything go, now and later.
    package func open() {
        let released = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for action in released { action() }
    }

    func pass(_ action: @escaping @Sendable () -> Void) {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.waiting.append(action) }
            return state.isOpen
        }
        if isOpen { action() }
    }
}

/// Which requests a fault strikes; what is nil is any.
package struct FaultTarget: Sendable {
    package var verb: RequestRoute.Verb?
    package var resource: APIResource?
    package var namespace: String?
    package var name: String?
    package var subresource: String?
    /// Whether it is a further page of a list.
    package var isContinued: Bool?

    package init(
        _ verb: RequestRoute.Verb? = nil, _ resource: APIResource? = nil, namespace: String? = nil,
        name: String? = nil, subresource: String? = nil, isContinued: Bool? = nil
    ) {
        self.verb = verb
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
        self.isContinued = isContinued
    }

    func matches(_ route: RequestRoute) -> Bool {
        func fits<Value: Equatable>(_ wanted: Value?, _ given: Value?) -> Bool { wanted == nil || wanted == given }
        return fits(verb, route.verb) && fits(resource, route.resource.resource) && fits(namespace, route.namespace)
            && fits(name, route.name) && fits(subresource, route.subresource)
            && fits(isContinued, route.query["continue"] != nil)
    }
}

/// The faults that wait for a request.
package final class APIFaults: Sendable {
    private struct Rule {
        let fault: APIFault
        let target: FaultTarget
        var skip: Int
        var left: Int?
    }

    private let rules = Mutex<[Rule]>([])

    /// Adds a fault for the next requests that match.
    ///
    /// - Parameters:
    ///   - times: for how many requests; nil = for all.
    ///   - skipping: how many are let through before.
    package func add(_ fault: APIFault, on target: FaultTarget = FaultTarget(), times: Int? = 1, skipping: Int = 0) {
        rules.withLock { $0.append(Rule(fault: fault, target: target, skip: skipping, left: times)) }
    }

    /// Takes all away.
    package func clear() { rules.withLock { $0 = [] } }

    /// How many rules still wait.
    package var count: Int { rules.withLock(\.count) }

    /// The faults for one request; each counts it.
    func take(for route: RequestRoute) -> [APIFault] {
        rules.withLock { rules in
            var taken: [APIFault] = []
            for index in rules.indices where rules[index].target.matches(route) {
                if rules[index].skip > 0 {
                    rules[index].skip -= 1
                } else if rules[index].left != 0 {
                    taken.append(rules[index].fault)
                    rules[index].left = rules[index].left.map { $0 - 1 }
                }
            }
            rules.removeAll { $0.left == 0 }
            return taken
        }
    }
}
