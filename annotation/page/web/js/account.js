/** The account that works at a page. */

import { logIn } from "./login.js";

/** Keeps a page with its account: the work of one must not be saved by another. */
export class Account {
  #api;
  #user;
  #reason;
  #login = null;

  /**
   * @param api an {@link Api}.
   * @param user the account: `{id, name}`.
   * @param reason a sentence that says why a new login is needed.
   */
  constructor(api, user, reason) {
    this.#api = api;
    this.#user = user;
    this.#reason = reason;
  }

  /** Ask for a login, once at a time; resolves when the account is logged in again. */
  logInAgain() {
    this.#login ??= logIn(this.#api, { reason: this.#reason })
      .then((user) => this.#require(user))
      .finally(() => {
        this.#login = null;
      });
    return this.#login;
  }

  /** Resolve if the account is logged in: another tab may have logged in somebody else. */
  async check() {
    await this.#require(await this.#api.get("/v1/me"));
  }

  /** Load the page anew for another account; the work of the first one waits in the browser. */
  async #require(user) {
    if (user.id !== this.#user.id) {
      location.reload();
      await new Promise(() => {});
    }
  }
}
