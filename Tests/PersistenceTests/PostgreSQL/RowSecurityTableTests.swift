// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing

@testable internal import Persistence

/// What a table must have so that its tenants are kept apart.
@Suite struct RowSecurityTableTests {
    private static func table(
        _ reach: RowSecurityTable.Reach = .column(type: "text", isNotNull: true), isEnabled: Bool = true,
        isForced: Bool = true, policies: [RowSecurityPolicy]? = nil
    ) -> RowSecurityTable {
        let bare = RowSecurityTable(
            schema: "public", name: "tasks", isEnabled: isEnabled, isForced: isForced, isOwned: false, reach: reach,
            policies: [])
        return RowSecurityTable(
            schema: "public", name: "tasks", isEnabled: isEnabled, isForced: isForced, isOwned: false, reach: reach,
            policies: policies ?? bare.wantedPolicies)
    }

    @Test func isContentWithWhatItMakes() {
        #expect(Self.table().problems == [])
        #expect(Self.table(.column(type: "character varying", isNotNull: true)).problems == [])
        let keys = [RowSecurityTable.Key(column: "okrId", parentColumn: "id")]
        #expect(Self.table(.parent(schema: "public", table: "okrs", keys: keys)).problems == [])
    }

    @Test func namesEveryProblem() {
        #expect(Self.table(isEnabled: false).problems == ["row-level security is not enabled"])
        #expect(Self.table(isForced: false).problems == ["row-level security is not forced"])
        #expect(Self.table(.column(type: "text", isNotNull: false)).problems == ["tenant_id may be NULL"])
        #expect(Self.table(.column(type: "uuid", isNotNull: true)).problems == ["tenant_id is uuid, not text"])
        #expect(Self.table(policies: []).problems.count == 4)
        #expect(Self.table(.unknown(parent: "public.okrs")).problems.count == 1)
    }

    @Test(
        arguments: [
            ("(tenant_id = get_current_tenant_id())", true), ("((tenant_id)::text = get_current_tenant_id())", true),
            ("(tenant_id = tollgate.get_current_tenant_id())", true),
            ("(tenant_id = other.get_current_tenant_id())", false),
            ("true", false), ("(tenant_id <> get_current_tenant_id())", false),
            ("((tenant_id = get_current_tenant_id()) OR true)", false), (nil, false),
        ] as [(String?, Bool)])
    func recognisesItsOwnCondition(using: String?, isOwn: Bool) {
        let wanted = Self.table().wantedPolicies[0]
        let found = RowSecurityPolicy(
            name: wanted.name, command: "select", isPermissive: true, isForEverybody: true, using: using, check: nil)
        #expect(found.means(the: wanted) == isOwn)
    }

    @Test func readsWhatTheServerMakesOfAChild() {
        let keys = [RowSecurityTable.Key(column: "okr_id", parentColumn: "id")]
        let wanted = Self.table(.parent(schema: "public", table: "okrs", keys: keys)).wantedPolicies[0]
        let printed = """
            (EXISTS ( SELECT 1
               FROM public.okrs parent
              WHERE ((parent.id = tasks.okr_id) AND ((parent.tenant_id)::text = get_current_tenant_id()))))
            """
        let found = RowSecurityPolicy(
            name: wanted.name, command: "select", isPermissive: true, isForEverybody: true, using: printed, check: nil)
        #expect(found.means(the: wanted))
    }

    @Test func keepsNamesNames() {
        #expect(RowSecurityTable.quote(#"a"; DROP TABLE x; --"#) == #""a""; DROP TABLE x; --""#)
        let policy = Self.table().wantedPolicies[2]
        #expect(
            policy.statement(on: Self.table())
                == #"CREATE POLICY "tenant_isolation_tasks_update" ON "public"."tasks" FOR UPDATE TO PUBLIC USING (tenant_id = tollgate.get_current_tenant_id()) WITH CHECK (tenant_id = tollgate.get_current_tenant_id())"#
        )
    }
}
