# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# The decision that Tollgate asks for: every check from role to project. Each one runs; each that fails gives its
# reason, in this order. What lies before (path, route, caller, public answers) and behind (rules of an AuthConfig) is
# Tollgate's own.
package tollgate.decision

import rego.v1

default allow := false

allow if count(failures) == 0

reasons := [failure[1] | some failure in sort(failures)]

effective_roles := data.authz.effective_roles

failures contains [1, "no matching role permission"] if not data.authz.role_check_passes

failures contains [2, reason] if some reason in data.api_keys.scope_reasons

failures contains [3, "platform principal required"] if not platform_check_passes

failures contains [4, reason] if some reason in data.tenants.tenant_reasons

failures contains [5, "not resource owner"] if not data.tenants.ownership_check_passes

failures contains [6, "project access denied"] if not project_check_passes

platform_check_passes if input.route.platform == false

platform_check_passes if input.user.platform == true

project := object.get(input.resource, "project_id", null)

project_check_passes if project == null

project_check_passes if project == input.user.project_id

project_check_passes if data.tenants.is_tenant_admin

project_check_passes if {
	some permission in data.tenants.shared_permissions
	share_covers_action(permission)
}

share_covers_action("read") if data.tenants.last_segment == "read"

share_covers_action("use") if data.tenants.last_segment in {"read", "execute"}

share_covers_action("manage") if data.tenants.last_segment != "delete"
