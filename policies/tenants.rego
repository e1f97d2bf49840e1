# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Tenants and owners: nothing of one tenant is open to another, and what has an owner is changed by its owner.
package tenants

import rego.v1

# Whether the roles allow the action (or it is public) and the resource is of no tenant or of the caller's.
default allow := false

allow if {
	data.authz.allow
	tenant_check_passes
}

# Whether the caller may change the resource too.
default allow_mutation := false

allow_mutation if {
	allow
	ownership_check_passes
}

# Whether the resource is known to be the caller's.
default is_owner := false

is_owner if {
	is_string(owner)
	owner == input.user.user_id
}

# Whether the caller administers the tenant of the resource. No tenant on both sides counts as the same one.
default is_tenant_admin := false

is_tenant_admin if is_platform_admin

is_tenant_admin if {
	is_admin
	tenant == input.user.tenant_id
}

reasons := array.concat(data.authz.reasons, tenant_reasons)

default tenant_reasons := ["cross-tenant access denied"]

tenant_reasons := [] if tenant_check_passes

is_admin if "admin" in data.authz.effective

is_platform_admin if {
	is_admin
	input.user.platform == true
}

tenant := object.get(input.resource, "tenant_id", null)

owner := object.get(input.resource, "owner_id", null)

identifier := object.get(input.resource, "id", null)

shared_permissions := object.get(input.resource, "shared_permissions", [])

tenant_check_passes if tenant == null

tenant_check_passes if tenant == input.user.tenant_id

tenant_check_passes if is_platform_admin

# The owner is asked for where the route says so, and for what writes or deletes when the owner is known or the resource
# is: by its id, as somebody but the path alone described it or as the settings let the path be enough.
owner_matters if not input.route.ownership_required == false

owner_matters if {
	changes
	owner != null
}

owner_matters if {
	changes
	identifier != null
	not input.resource.described == false
}

owner_matters if {
	changes
	identifier != null
	not input.settings.ownership == "default"
}

last_segment := data.authz.segments[count(data.authz.segments) - 1]

changes if last_segment in {"write", "delete"}

ownership_check_passes if {
	is_object(input.resource)
	not owner_matters
}

ownership_check_passes if is_owner

ownership_check_passes if is_tenant_admin

ownership_check_passes if {
	last_segment == "write"
	"manage" in shared_permissions
}
