// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension PlanLimits {
    /// These limits with what a Subscription says instead of them.
    ///
    /// - Parameter overrides: `spec.overrides`, checked by the object's schema; what is not there stays as it is.
    package func overridden(by overrides: JSONValue?) -> PlanLimits {
        guard let overrides = overrides?.objectValue else { return self }
        var limits = self
        func take(_ value: JSONValue?, _ limit: inout Int64?) {
            guard let number = value?.intValue else { return }
            limit = number < 0 ? nil : number
        }
        func takeCredits(_ value: JSONValue?, _ limit: inout Int64?) {
            guard let amount = value.flatMap(CreditAmount.microCredits) else { return }
            limit = amount < 0 ? nil : amount
        }
        takeCredits(overrides["credits"], &limits.creditsPerPeriod)
        takeCredits(overrides["rollover"]?["min"], &limits.rolloverMin)
        takeCredits(overrides["rollover"]?["max"], &limits.rolloverMax)
        takeCredits(overrides["overage"]?["maxCredits"], &limits.overageCredits)
        take(overrides["agentSlots"]?["included"], &limits.agentSlots.included)
        take(overrides["agentSlots"]?["max"], &limits.agentSlots.max)
        var price: Int64? = limits.agentSlots.extraPrice
        takeCredits(overrides["agentSlots"]?["extraPriceCredits"], &price)
        limits.agentSlots.extraPrice = price ?? 0
        take(overrides["tasksPerMonth"], &limits.tasksPerMonth)
        take(overrides["workers"], &limits.workers)
        take(overrides["workspaces"], &limits.workspaces)
        take(overrides["tokensPerDay"], &limits.tokensPerDay)
        take(overrides["apiKeys"], &limits.apiKeys)
        take(overrides["rate"]?["minute"], &limits.rate.minute)
        take(overrides["rate"]?["hour"], &limits.rate.hour)
        take(overrides["rate"]?["day"], &limits.rate.day)
        take(overrides["premiumModels"], &limits.premiumModels)
        if let markup = overrides["markupPercent"].flatMap(MarkupPercent.init(json:)) { limits.markupPercent = markup }
        if let tiers = overrides["modelTiers"]?.arrayValue { limits.modelTiers = tiers.compactMap(\.stringValue) }
        if let premium = overrides["premiumAgents"]?.boolValue { limits.premiumAgents = premium }
        return limits
    }
}
