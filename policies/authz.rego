# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Roles: what a caller may do by the roles it holds. Everything here is written so that what is missing from the input
# is a refusal.
package authz

import rego.v1

# Whether the action is public, or the role check passes.
default allow := false

allow if input.action in data.public_endpoints

allow if role_check_passes

default reasons := ["no matching role permission"]

reasons := [] if allow

# The known roles of the caller and all their ancestors, each once, sorted.
effective_roles := sort(effective)

# What each role grants by itself and by its ancestors, sorted; wildcards as written.
role_permissions[name] := sort(granted) if {
	some name, _ in data.roles
	granted := {permission |
		some ancestor in graph.reachable(parents, {name})
		some permission in data.roles[ancestor].permissions
	}
}

# Who a role inherits from, as the edges of a graph.
parents[name] := {parent | parent := role.inherits} if some name, role in data.roles

effective := graph.reachable(parents, held)

held contains name if {
	some name in input.user.roles
	data.roles[name]
}

# A grant covers an action when it is the same text, or the text before the action's last colon with `:*` behind it.
covers_action contains input.action

covers_action contains concat(":", array.concat(array.slice(segments, 0, count(segments) - 1), ["*"])) if {
	count(segments) > 1
}

segments := split(input.action, ":")

is_administrative if segments[0] == "admin"

granted_by_role if {
	some name in effective
	some grant in data.roles[name].permissions
	grant in covers_action
}

role_check_passes if granted_by_role

# An `authenticated: true` route asks for a known caller and for no permission.
role_check_passes if asks_no_permission

# The scopes of such a credential without roles are its whole grant.
role_check_passes if {
	input.user.auth_source in {"service_token", "bootstrap"}
	input.user.roles == []
}

# The role check is switched off; never for what administers Tollgate.
role_check_passes if {
	input.settings.role_check == false
	is_string(input.action)
	not is_administrative
}

asks_no_permission if {
	input.action == null
	input.route.authenticated_only == true
}
