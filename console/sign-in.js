// Makes a session of a token. The text is read from the field, sent once in a header, and cleared whatever comes of it.
const form = document.getElementById("form");
const field = document.getElementById("token");
const error = document.getElementById("error");
const submit = document.getElementById("submit");
const session = "/v1/auth/session";

if (!isSecureContext) document.getElementById("insecure").hidden = false;
field.focus();

const say = (text) => {
  error.textContent = text;
  error.hidden = !text;
  field.setAttribute("aria-invalid", text ? "true" : "false");
};

/** What a refusal means to whoever stands before this page. */
const explain = async (response) => {
  const body = await response.json().catch(() => ({}));
  const wait = response.headers.get("Retry-After");
  switch (response.status) {
    case 401: return `Not accepted: ${body.message ?? "the token is not known"}.`;
    case 403: return body.code === "policy.scope_denied" || body.code === "policy.permission_denied"
      ? "The token is good, but may not have a session: it lacks sessions:read."
      : `Not allowed: ${body.message ?? "forbidden"}.`;
    case 429: return `Too many attempts. Try again in ${wait ?? "some"} seconds.`;
    default: return `Tollgate could not do it (${response.status} ${body.code ?? ""}). Try again.`;
  }
};

const signIn = async (token) => {
  const made = await fetch(session, {
    method: "POST", headers: { Authorization: `Bearer ${token}` }, credentials: "same-origin", cache: "no-store",
    redirect: "error", referrerPolicy: "no-referrer",
  });
  if (!made.ok) return explain(made);
  const kept = await fetch(session, { credentials: "same-origin", cache: "no-store" });
  if (kept.status === 401) return "The browser did not keep the session. Over plain http it does so for localhost only.";
  if (kept.status === 404) {
    return "Signed in, but a proxy in front of Tollgate adds a credential of its own to every request, and that goes before "
      + "the session. Have it leave the requests of browsers alone.";
  }
  if (!kept.ok) return explain(kept);
  const { permissions = [] } = await kept.json();
  const target = form.dataset.returnTo;
  if (target.startsWith("/console") && !permissions.includes("monitor:read")) {
    return "Signed in, but this token may not see the console: it lacks monitor:read.";
  }
  location.replace(target);
  return "";
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = field.value.trim();
  field.value = "";
  if (!token || /[^\x21-\x7e]/.test(token)) {
    say(token ? "A token has no blanks and none but ASCII characters." : "Enter a token.");
    field.focus();
    return;
  }
  say("");
  submit.disabled = true;
  submit.textContent = "Signing in…";
  let fault;
  try {
    fault = await signIn(token);
  } catch {
    fault = "Tollgate cannot be reached. Check the connection and try again.";
  }
  if (!fault) return;
  submit.disabled = false;
  submit.textContent = "Sign in";
  say(fault);
  field.focus();
});
