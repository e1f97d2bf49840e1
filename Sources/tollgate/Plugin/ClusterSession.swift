// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import Logging
internal import Metrics
internal import ResourceModel

/// The API server of a cluster, as the caller of a command.
struct ClusterSession: Sendable {
    let api: HTTPKubernetesAPI
    /// That of the context; `default` where it names none.
    let namespace: String
    let format: OutputFormat

    /// Connects for the time of the body. What the API server refuses ends as a `CommandFailure`.
    static func with<Value: Sendable>(
        _ options: ClusterOptions, format: OutputFormat, in context: CommandContext,
        _ body: (ClusterSession) async throws -> Value
    ) async throws -> Value {
        let session = try open(options, format: format, in: context)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(session))
        } catch let error as KubernetesError {
            result = .failure(failure(error, format: format))
        } catch {
            result = .failure(error)
        }
        await session.api.shutdown()
        return try result.get()
    }

    private static func open(
        _ options: ClusterOptions, format: OutputFormat, in context: CommandContext
    ) throws(CommandFailure) -> ClusterSession {
        do throws(ClusterConnectionError) {
            let file = options.kubeconfig.map { HomeDirectory.expand($0, environment: context.environment) }
            let connection = try Kubeconfig(path: file, environment: context.environment)
                .connection(context: options.context)
            for warning in connection.warnings { context.warn(warning) }
            var settings = HTTPKubernetesAPI.Settings()
            settings.fieldManager = KubectlTollgate.fileName
            let api = try HTTPKubernetesAPI(
                connection, userAgent: ClientName.userAgent(role: "kubectl"), settings: settings,
                clock: context.clock, random: context.random, metrics: NOOPMetricsHandler.instance,
                logger: Logger(label: "kubectl") { _ in SwiftLogNoOpLogHandler() })
            return ClusterSession(api: api, namespace: connection.namespace ?? "default", format: format)
        } catch {
            throw CommandFailure(.usage, error.message, format: format)
        }
    }

    /// What a refusal of the API server is for the shell.
    static func failure(_ error: KubernetesError, format: OutputFormat) -> CommandFailure {
        let exit: ExitStatus =
            switch error.code {
            case .unauthorized: .unauthenticated
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .conflict, .alreadyExists: .conflict
            case .tooManyRequests: .rateLimited
            case .unreachable, .unavailable, .timedOut, .serverTimeout: .unavailable
            default: .otherFault
            }
        return CommandFailure(exit, "the API server: \(error.message)", httpStatus: error.status, format: format)
    }

    /// Every object of a resource, a page at a time.
    func all(_ resource: APIResource, namespace: String?) async throws(KubernetesError) -> [JSONValue] {
        var items: [JSONValue] = []
        var query = ListQuery(ObjectSelection(resource, namespace: namespace))
        while true {
            let page = try await api.list(query) { items.append($0) }
            guard let token = page.continueToken else { return items }
            query.continueToken = token
        }
    }

    /// How the search for an object ended.
    enum Lookup: Sendable {
        case found(JSONValue)
        case missing
        case forbidden
    }

    /// Looks for one object.
    func look(for reference: APIObjectReference) async throws(KubernetesError) -> Lookup {
        do throws(KubernetesError) {
            return .found(try await api.get(reference, subresource: nil))
        } catch {
            switch error.code {
            case .notFound: return .missing
            case .forbidden: return .forbidden
            default: throw error
            }
        }
    }
}
