/** Access to the server: a new login when the session has expired, and reading with an explanation. */

import { logIn } from "../../login.js";
import { clearNotice, showNotice } from "../../notices.js";

/** The account's access to a project. */
export class Access {
  #api;
  #user;
  #login = null;

  /**
   * @param api an {@link Api}.
   * @param user the account that works at the page: `{id, name}`.
   */
  constructor(api, user) {
    this.#api = api;
    this.#user = user;
  }

  /** Ask for a login, once at a time; resolves when the account is logged in again. */
  logInAgain() {
    this.#login ??= this.#logIn().finally(() => {
      this.#login = null;
    });
    return this.#login;
  }

  /** Run something that reads from the server; ask for a login or explain if it fails. */
  async attempt(run) {
    try {
      await run();
      clearNotice("read");
    } catch (error) {
      if (error.kind === "login") {
        await this.logInAgain();
        await this.attempt(run);
        return;
      }
      if (error.kind === undefined) {
        throw error;
      }
      showNotice("read", `The article cannot be opened. ${error.message}`, {
        kind: "error",
        actions: [{ label: "Try again", run: () => this.attempt(run) }],
      });
    }
  }

  async #logIn() {
    const user = await logIn(this.#api, {
      reason: "Your session has expired. Log in to save your work.",
    });
    if (user.id !== this.#user.id) {
      // The work of the first account stays in the browser until that account logs in again.
      location.reload();
      await new Promise(() => {});
    }
  }
}
