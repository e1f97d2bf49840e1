// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension BudgetAccount {
    /// Writes its stored object.
    func write(to writer: inout JSONWriter) {
        writer.raw("{")
        writer.member("name", budget.name)
        writer.member("scope", budget.scope.rawValue)
        writer.member("match", budget.match)
        writer.member("period", budget.period.rawValue)
        writer.member("soft", optional: budget.softLimitMicroUSD)
        writer.member("hard", optional: budget.hardLimitMicroUSD)
        writer.member("on_soft", budget.actionOnSoft.rawValue)
        writer.member("on_hard", budget.actionOnHard.rawValue)
        writer.member("url", budget.webhookURL)
        writer.member("of_object", budget.isOfObject)
        writer.member("start", window.start)
        writer.member("end", window.end)
        writer.member("spent", spentMicroUSD)
        writer.member("held", heldMicroUSD)
        writer.member("fired", fired.highest)
        writer.member("soft_told", isSoftTold)
        writer.member("hard_told", isHardTold)
        writer.raw("}")
    }

    /// Reads a stored one.
    init(stored value: JSONValue) throws {
        guard let name = value["name"]?.stringValue,
            let scope = value["scope"]?.stringValue.flatMap(Budget.Scope.init(rawValue:)),
            let period = value["period"]?.stringValue.flatMap(Budget.Period.init(rawValue:)),
            let onSoft = value["on_soft"]?.stringValue.flatMap(Budget.SoftAction.init(rawValue:)),
            let onHard = value["on_hard"]?.stringValue.flatMap(Budget.HardAction.init(rawValue:)),
            let start = value["start"]?.storedInstant, let end = value["end"]?.storedInstant
        else { throw BillingStoreError.unreadable("budget of an account") }
        let budget = Budget(
            name: name, scope: scope, match: value["match"]?.stringValue ?? "", period: period,
            softLimitMicroUSD: value["soft"]?.intValue, hardLimitMicroUSD: value["hard"]?.intValue,
            actionOnSoft: onSoft, actionOnHard: onHard, webhookURL: value["url"]?.stringValue,
            isOfObject: value["of_object"]?.boolValue ?? false)
        self.init(budget: budget, window: BillingPeriod(start: start, end: end))
        spentMicroUSD = value["spent"]?.intValue ?? 0
        heldMicroUSD = value["held"]?.intValue ?? 0
        fired = ThresholdLevels(highest: value["fired"]?.intValue ?? 0)
        isSoftTold = value["soft_told"]?.boolValue ?? false
        isHardTold = value["hard_told"]?.boolValue ?? false
    }
}
