/** The login, in a dialog over the page, so that work in progress stays. */

import { dialogOf, showUntil } from "./dialogs.js";
import { create } from "./elements.js";

/**
 * Ask for name and password until the server accepts them.
 *
 * @param {import("./api.js").Api} api
 * @param {{reason?: string}} options a sentence that says why the login is needed.
 * @returns {Promise<object>} the user as doccano's `/v1/me` gives it.
 */
export async function logIn(api, { reason } = {}) {
  const form = loginForm(reason);
  const dialog = dialogOf("Log in", form.element);
  let user = null;
  form.element.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.setBusy(true);
    try {
      await api.logIn(form.username.value.trim(), form.password.value);
      user = await api.get("/v1/me");
      dialog.close();
    } catch (error) {
      form.setBusy(false);
      form.fail(sentenceOf(error));
    }
  });
  await showUntil(dialog, () => user !== null);
  return user;
}

function loginForm(reason) {
  const username = create("input", {
    name: "username",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    required: true,
    autofocus: true,
  });
  const password = create("input", {
    type: "password",
    name: "password",
    autocomplete: "current-password",
    required: true,
  });
  const failure = create("p", { class: "failure", role: "alert" });
  const submit = create("button", { class: "primary" }, "Log in");
  const element = create(
    "form",
    { class: "login" },
    ...(reason ? [create("p", {}, reason)] : []),
    create("label", {}, "Name", username),
    create("label", {}, "Password", password),
    failure,
    submit,
  );
  return {
    element,
    username,
    password,
    setBusy(isBusy) {
      submit.disabled = isBusy;
      if (isBusy) {
        failure.textContent = "";
      }
    },
    fail(sentence) {
      failure.textContent = sentence;
      password.select();
    },
  };
}

function sentenceOf(error) {
  if (error.status === 400) {
    return "The name or the password is wrong.";
  }
  if (error.kind === "offline") {
    return "The server cannot be reached. Try again in a moment.";
  }
  return error.message;
}
