// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The billing endpoints, and the door that usage is reported at.
package struct BillingRoutes: OwnAPIModule {
    private let services: BillingServices

    package init(_ services: BillingServices) { self.services = services }

    package var routes: [OwnRoute] {
        // What is named comes before the pattern that would take the name for an id.
        var routes = UsageEventRoutes(services: services).routes
        routes += ReservationRoutes(services: services).routes
        routes += SlotRoutes(services: services).routes
        routes += AccountRoutes(services: services).routes
        routes += UsageReportRoutes(services: services).routes
        routes += GrantRoutes(services: services).routes
        routes += BudgetRoutes(services: services).routes
        routes += CatalogueRoutes(services: services).routes
        routes += ProviderEventRoutes(services: services).routes
        routes += WebhookEndpointRoutes(services: services).routes
        routes += PaymentRoutes(services: services).routes
        routes += BillingAliasRoutes(services: services).routes
        return routes
    }
}
