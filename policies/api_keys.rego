# This file is part of Tollgate.
# SPDX-License-Identifier: Apache-2.0
#
# Scopes: they limit a credential and never add to its roles.
package api_keys

import rego.v1

# Whether the roles allow the action (or it is public) and the scopes do.
default allow := false

allow if {
	data.authz.allow
	scope_check_passes
}

reasons := array.concat(data.authz.reasons, scope_reasons)

default scope_reasons := ["token scope does not permit action"]

scope_reasons := [] if scope_check_passes

scope_reasons := ["api key scope does not permit action"] if {
	input.user.auth_source == "api_key"
	not scope_check_passes
}

# These are limited by their scopes always, and by having none.
always_limited if input.user.auth_source in {"api_key", "service_token", "bootstrap"}

scope_check_passes if data.authz.asks_no_permission

scope_check_passes if input.action in data.public_endpoints

scope_check_passes if {
	some scope in input.user.scopes
	scope in data.authz.covers_action
}

scope_check_passes if {
	not always_limited
	is_string(input.user.auth_source)
	input.settings.scopes == "ignore"
}

# Without a scope claim there is nothing that limits.
scope_check_passes if {
	not always_limited
	is_string(input.user.auth_source)
	input.user.scopes == null
}
