/** Access to the server: reading with a new login when the session has expired, or an explanation. */

import { Account } from "../../account.js";
import { clearNotice, showNotice } from "../../notices.js";

/** The account's access to a project. */
export class Access extends Account {
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
}
