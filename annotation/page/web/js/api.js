/** Requests to doccano's REST API with the login of the person at the page. */

const TIMEOUT_MS = 30_000;

/**
 * A request that failed.
 *
 * `kind` says what can be done: "offline" and "server" (try again later), "login" (log in),
 * "missing" (the object was deleted) or "refused" (the request is wrong or not allowed).
 */
export class ApiError extends Error {
  constructor(kind, status, message) {
    super(message);
    this.name = "ApiError";
    this.kind = kind;
    this.status = status;
  }

  /** Whether the same request may succeed later. */
  get isTemporary() {
    return this.kind === "offline" || this.kind === "server";
  }
}

/** Sends requests to the server that the page came from. Paths are relative to its root. */
export class Api {
  get(path) {
    return this.#request("GET", path);
  }

  post(path, body = {}) {
    return this.#request("POST", path, body);
  }

  patch(path, body) {
    return this.#request("PATCH", path, body);
  }

  delete(path) {
    return this.#request("DELETE", path);
  }

  /** Log in; later requests use the session cookie that the server sets. */
  async logIn(username, password) {
    await this.#request("POST", "/v1/auth/login/", { username, password });
  }

  async #request(method, path, body) {
    const headers = { Accept: "application/json" };
    if (method !== "GET") {
      headers["X-CSRFToken"] = csrfToken();
    }
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    let response;
    let content;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      content = await response.text();
    } catch {
      throw new ApiError("offline", 0, "The server cannot be reached.");
    }
    const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
    if (response.ok && (isJson || content === "")) {
      return content === "" ? null : JSON.parse(content);
    }
    throw await this.#failure(path, response.status, isJson ? content : "");
  }

  async #failure(path, status, content) {
    const detail = detailOf(content);
    if (status === 401 || (status === 403 && path !== "/v1/me" && !(await this.#isLoggedIn()))) {
      return new ApiError("login", status, "You are not logged in any more.");
    }
    if (status === 403) {
      return path === "/v1/me"
        ? new ApiError("login", status, "You are not logged in.")
        : new ApiError("refused", status, detail || "You have no access to this project.");
    }
    if (status === 404) {
      return new ApiError("missing", status, detail || "It was deleted on the server.");
    }
    if (status === 429 || status >= 500) {
      return new ApiError("server", status, detail || `The server failed (error ${status}).`);
    }
    // doccano answers unknown paths with its own page and status 200.
    return new ApiError("refused", status, detail || `The server answered with ${status}.`);
  }

  async #isLoggedIn() {
    try {
      await this.get("/v1/me");
      return true;
    } catch (error) {
      return error.kind !== "login";
    }
  }
}

function csrfToken() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? decodeURIComponent(cookie.slice("csrftoken=".length)) : "";
}

/** Return the first message in the body of a refused request; "" if there is none. */
function detailOf(content) {
  let value;
  try {
    value = JSON.parse(content);
  } catch {
    return "";
  }
  while (value !== null && typeof value === "object") {
    value = Object.values(value)[0] ?? "";
  }
  return String(value).slice(0, 300);
}
