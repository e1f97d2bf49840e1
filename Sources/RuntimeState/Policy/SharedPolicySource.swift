// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials
internal import Synchronization

/// Policy data whose roles replicas share in a store: the roles that somebody changed over the API, with the routes of the source below. While
/// nobody changed any, it is the source below.
///
/// What the source below says counts alone where it is not this process's to change: files that it cannot write are somebody's word about
/// every replica that has them.
package final class SharedPolicySource: PolicySource {
    private let base: any PolicySource
    private let store: any PolicyDocumentStore
    private let document = Mutex<StoredRoleDocument?>(nil)
    /// A mutex holds values of every type alike: a function of its own would be wrapped once more at each access, without end.
    private struct Observer: Sendable {
        let hear: @Sendable () async -> Void
    }

    private let observer = Mutex<Observer?>(nil)

    /// - Parameter base: where routes come from, and roles until some are changed.
    package init(over base: any PolicySource, store: any PolicyDocumentStore) {
        self.base = base
        self.store = store
    }

    /// Names who is told after another replica's document was taken up.
    package func observe(_ changed: @escaping @Sendable () async -> Void) {
        observer.withLock { $0 = Observer(hear: changed) }
    }

    package func read() -> PolicyReading? {
        guard var reading = base.read() else { return nil }
        guard isShared(reading.origin), case .texts(var texts) = reading.content else { return reading }
        reading.origin.readOnlyReason = nil
        guard let document = document.withLock(\.self) else { return reading }
        texts.roles = document.text
        return PolicyReading(
            origin: PolicyOrigin(kind: .database, location: Self.location(reading.origin)), content: .texts(texts))
    }

    package func write(roles: [UInt8], over texts: PolicyTexts) async throws(PolicyWriteFailure) {
        guard let reading = read(), reading.content == .texts(texts) else { throw Self.overtaken }
        if let reason = reading.origin.readOnlyReason { throw PolicyWriteFailure(.failed, reason) }
        let revision = document.withLock { $0?.revision ?? 0 }
        do throws(PolicyDocumentStoreError) {
            put(try await store.replaceRoleDocument(roles, over: revision))
        } catch {
            guard error.code == .conflict else { throw PolicyWriteFailure(.failed, error.message) }
            do throws(PolicyDocumentStoreError) {
                put(try await store.roleDocument())
            } catch {
                throw PolicyWriteFailure(.failed, error.message)
            }
            throw Self.overtaken
        }
    }

    private static let overtaken = PolicyWriteFailure(.changed, "the shared roles were changed by another replica")

    /// A document never gives way to an older one.
    private func put(_ document: StoredRoleDocument?) {
        guard let document else { return }
        self.document.withLock { present in
            if present.map({ $0.revision < document.revision }) ?? true { present = document }
        }
    }

    private func isShared(_ origin: PolicyOrigin) -> Bool { origin.isWritable || origin.kind == .builtIn }

    private static func location(_ base: PolicyOrigin) -> String {
        base.location.isEmpty ? "" : "over \(base.location)"
    }
}

extension SharedPolicySource: FollowedBook {
    package var kinds: Set<StoreChange.Kind> { [.policy] }

    package func reload() async throws(FollowError) {
        do throws(PolicyDocumentStoreError) {
            put(try await store.roleDocument())
        } catch {
            throw FollowError(.unavailable, "The shared roles cannot be read", cause: error)
        }
        await observer.withLock(\.self)?.hear()
    }

    package func refresh(_ kind: StoreChange.Kind, _ keys: [String]) async throws(FollowError) { try await reload() }

    /// What cannot be read is judged as a whole by whoever compiles it: the last good roles stay in force.
    package func withdraw(_ kind: StoreChange.Kind, _ key: String) {}
}
