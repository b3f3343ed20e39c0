/** The annotation page of a project: which article is open, and what the annotator does with it. */

import { clearNotice, showNotice } from "../notices.js";
import { showKeyMap } from "../panels/key_map.js";
import { TextView } from "../text_view.js";
import { Access } from "./saving/access.js";
import { editingActions } from "./editing/actions.js";
import { Articles } from "./articles.js";
import { connectButtons, connectWindow } from "./controls.js";
import { drawArticle } from "./editing/drawing.js";
import { Find } from "./editing/find.js";
import { Heading } from "./heading.js";
import { keyGroups, listenToKeys } from "./editing/keyboard.js";
import { createLabelBar } from "./editing/label_bar.js";
import { listenToMouse } from "./editing/mouse.js";
import { Panels } from "./panels.js";
import { focusNextRegion } from "./regions.js";
import { Saving } from "./saving/saving.js";

/** How long after a confirmation has opened an article the next one is taken for a double Enter. */
const DOUBLE_MS = 400;

/** Shows the articles of a project and lets the annotator change their spans. */
export class AnnotationPage {
  #project;
  #colors;
  #view;
  #access;
  #articles;
  #heading;
  #saving;
  #panels;
  #find;
  #showArmed;
  #editor = null;
  #armed = null;
  /** The number of the last attempt to open an article; older ones have no effect. */
  #opening = 0;
  /** The position of the article that the annotator is on the way to, or null. */
  #goingTo = null;

  /**
   * @param api an {@link Api} that is logged in.
   * @param project as `loadProject` returns it.
   */
  constructor(api, project) {
    const getEditor = () => this.#editor;
    this.#project = project;
    this.#colors = new Map(project.labels.map((label) => [label.name, label.color]));
    this.#view = new TextView(document.getElementById("text"));
    this.#access = new Access(
      api,
      project.user,
      "Your session has expired. Log in to save your work.",
    );
    this.#articles = new Articles(api, project.id);
    this.#heading = new Heading(project, this.#articles);
    this.#saving = new Saving({
      ...{ api, project, getEditor },
      access: this.#access,
      articles: this.#articles,
      onShow: (editor) => {
        if (editor === this.#editor) {
          this.#render();
        }
      },
    });
    const offered = new Set(project.choices.map((label) => label.name));
    const actions = { ...editingActions(this.#view, getEditor, offered), ...this.#pageActions() };
    this.#panels = new Panels(api, project, actions);
    this.#find = new Find(document.getElementById("find"), this.#view, getEditor);
    this.#showArmed = createLabelBar(
      document.getElementById("labels"),
      project.choices,
      actions.label,
    );
    listenToMouse(this.#view, getEditor, () => this.#armed);
    listenToKeys(actions, project.choices);
    connectButtons(actions);
    connectWindow({
      open: (number) => this.open(number),
      onReturn: () => this.#saving.onReturn(),
      wouldLoseWork: () => this.#saving.wouldLoseWork,
    });
  }

  /** Open the article at a position counted from 1, or the first open one if it is null. */
  async open(number) {
    await this.#access.attempt(async () => {
      const opening = ++this.#opening;
      await this.#saving.ready;
      const open = number ? null : await this.#articles.firstOpen();
      const article = open ?? (await this.#articles.at(number ?? 1));
      const found = article && (await this.#saving.editors.read(article));
      if (opening !== this.#opening) {
        return;
      }
      if (found) {
        this.#show(found, open ? null : (number ?? 1));
      } else if (number) {
        showNotice("end", `There is no article ${number} in this project.`, {
          kind: "warning",
          actions: [{ label: "First open article", run: () => this.open(null) }],
        });
      } else {
        showNotice("end", "This project has no articles yet.");
      }
      await this.#articles.ready();
      this.#heading.update();
      if (found && !open && !number) {
        this.#showEnd();
      }
      this.#readAhead();
    });
  }

  // -- articles -----------------------------------------------------------------------------

  #show({ article, stored }, number = null) {
    this.#editor = this.#saving.editorOf(article, stored);
    this.#view.setText(article.text);
    this.#render();
    window.scrollTo({ top: 0, behavior: "instant" });
    this.#view.element.focus({ preventScroll: true });
    for (const notice of ["end", "tab", "changed", "action"]) {
      clearNotice(notice);
    }
    this.#panels.setArticle(article, this.#editor);
    this.#heading.show(article, number, this.#editor.words.count);
    this.#warnOfStrangeSpans();
  }

  #render() {
    drawArticle(this.#view, this.#editor, this.#colors);
    this.#panels.update(this.#editor);
  }

  /** Read the next open article now. */
  #readAhead() {
    const next = this.#editor && this.#articles.nextOpenId(this.#editor.article.id);
    this.#saving.editors.readAhead(next);
  }

  async #openNext() {
    const next = await this.#articles.nextOpen(this.#editor.article.id);
    if (next === null) {
      this.#render();
      this.#showEnd();
      return;
    }
    const opening = ++this.#opening;
    const found = await this.#saving.editors.take(next);
    if (opening === this.#opening) {
      this.#show(found);
      holdConfirmation();
      // What was read ahead may have been changed elsewhere since.
      this.#saving.refresh(next);
      this.#readAhead();
    }
  }

  #showEnd() {
    this.#heading.update();
    showNotice("end", "All articles are confirmed. You can close the page.", {
      kind: "info",
      actions: [{ label: "First article", run: () => this.open(1) }],
    });
  }

  #warnOfStrangeSpans() {
    clearNotice("spans");
    const count = this.#editor.spans.filter((span) => span.label === null).length;
    if (count) {
      showNotice(
        "spans",
        `${count} spans have a label that this project does not have any more. Tell the lead.`,
        { kind: "warning" },
      );
    }
  }

  // -- actions ------------------------------------------------------------------------------

  /** Return the actions that are not changes to the open article alone. */
  #pageActions() {
    const withEditor = (run) => (...values) => (this.#editor ? run(...values) : undefined);
    return {
      label: withEditor((name) => this.#chooseLabel(name)),
      confirm: withEditor(() => this.#confirm()),
      withdraw: withEditor(() => this.#withdraw()),
      go: withEditor((step) => this.#go(step)),
      find: withEditor(() => this.#find.open()),
      clear: withEditor(() => this.#clear()),
      panel: (name) => this.#panels.toggle(name),
      region: focusNextRegion,
      logIn: () => this.#access.logInAgain(),
      keys: () => {
        const { choices } = this.#project;
        showKeyMap({ labels: choices, keys: keyGroups(choices) });
      },
    };
  }

  /** Give the label to what is selected; else choose it for what is dragged over next. */
  #chooseLabel(name) {
    if (this.#editor.selection) {
      this.#editor.mark(name);
      this.#panels.showLabel(name);
    } else {
      this.#arm(this.#armed === name ? null : name);
    }
  }

  #arm(name) {
    this.#armed = name;
    this.#showArmed(name);
    this.#panels.showLabel(name);
  }

  #clear() {
    clearNotice("action");
    if (this.#editor.selection) {
      this.#editor.clear();
    } else {
      this.#arm(null);
    }
  }

  async #go(step) {
    await this.#access.attempt(() => this.#articles.ready());
    const number = (this.#goingTo ?? this.#articles.numberOf(this.#editor.article.id)) + step;
    if (number >= 1 && number <= this.#articles.count) {
      this.#goingTo = number;
      await this.open(number);
      this.#goingTo = this.#goingTo === number ? null : this.#goingTo;
    }
  }

  async #confirm() {
    if ("opened" in document.body.dataset) {
      return;
    }
    const { article } = this.#editor;
    if (!article.isConfirmed) {
      article.isConfirmed = true;
      this.#editor.wasConfirmed = true;
      this.#articles.setConfirmed(article.id, true);
      this.#heading.finish();
      this.#saving.save(this.#editor, true);
    }
    await this.#access.attempt(() => this.#openNext());
  }

  #withdraw() {
    const { article } = this.#editor;
    if (article.isConfirmed) {
      article.isConfirmed = false;
      this.#articles.setConfirmed(article.id, false);
      this.#saving.save(this.#editor, false);
      this.#heading.update();
      this.#render();
    }
  }
}

/** Confirm nothing for a moment: a double Enter or click must not confirm an unread article. */
function holdConfirmation() {
  document.body.dataset.opened = "";
  setTimeout(() => delete document.body.dataset.opened, DOUBLE_MS);
}
