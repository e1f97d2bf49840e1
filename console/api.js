// Calls to Tollgate's own interface, with the cookie of the session and, on what changes something, its CSRF token.

/** A refusal in the words of the error envelope. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.details = body.details ?? {};
    this.requestID = body.request_id ?? "";
  }
}

/** Nobody answered. */
export class Unreachable extends Error {}

/** The session: whose it is, what it may do, its CSRF token. */
export let session = null;

/** Whether the caller holds a permission. */
export const may = (permission) => session?.permissions.includes(permission) ?? false;

/** Asks for JSON. A session that has ended is told to the page as the event `session-ended`. */
export async function call(method, path, body, signal) {
  try {
    return await send(method, path, body, signal);
  } catch (error) {
    // The browser has another session by now when somebody has signed in anew in another tab.
    if (error.code !== "auth.csrf" || !await hasSameUser()) throw error;
    return await send(method, path, body, signal);
  }
}

/** Takes up the session that the browser has now, if it is the same user's. */
async function hasSameUser() {
  const current = await send("GET", "/v1/auth/session");
  if (current.user_id !== session?.user_id) return false;
  session = current;
  return true;
}

async function send(method, path, body, signal) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = session?.csrf_token ?? "";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  let text;
  try {
    response = await fetch(path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin",
      cache: "no-store", redirect: "error",
    });
    text = await response.text();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
  let json = {};
  try {
    json = text ? JSON.parse(text) : {};
  } catch {
    throw new Refusal(response.status, { message: "The answer is no JSON" });
  }
  if (response.ok) return json;
  if (response.status === 401) dispatchEvent(new CustomEvent("session-ended"));
  throw new Refusal(response.status, json);
}

/** Finds out whose session it is. */
export async function openSession() {
  session = await call("GET", "/v1/auth/session");
  return session;
}

/** Where this browser signs in, to come back to what it sees now. */
export const signInAddress = () => `/v1/auth/browser/login?return_to=${encodeURIComponent(`/console/${location.hash}`)}`;

/** A path with parameters, those without a value left out. */
export function address(path, parameters) {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return text ? `${path}?${text}` : path;
}

/** What went wrong, for a person. */
export function inWords(fault) {
  if (fault instanceof Refusal) {
    const id = fault.requestID ? ` Request ${fault.requestID}.` : "";
    return `${fault.message} (${fault.status} ${fault.code}).${id}`;
  }
  if (fault instanceof Unreachable) return "Tollgate cannot be reached.";
  console.error(fault);
  return "The console itself failed.";
}
