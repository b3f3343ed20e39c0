/** Saves the work on articles: at once, in order, and again until the server has it. */

import { ApiError } from "../../api.js";
import {
  changeConfirmation,
  createSpan,
  deleteSpan,
  listLabels,
  listSpans,
  readArticle,
  relabelSpan,
} from "../../doccano.js";
import { Backoff } from "../../backoff.js";
import { alone } from "../../locks.js";
import { applied, haveSameSpans, nextChange, wasCarriedOut } from "./changes.js";
import { ArticleWork } from "./work.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
/** After as many failures an article is named, while others are saved. */
const NAMED_AFTER = 3;

/**
 * Brings the server to the spans and confirmations that the page shows.
 *
 * Only differences are sent. When an answer was lost, the server's spans are read before anything
 * is sent again, so that no span is made twice, and no change of somebody else is overwritten.
 */
export class Saver {
  #api;
  #project;
  #drafts;
  #callbacks;
  #works = new Map();
  #stored = new Map();
  #revisions = new Map();
  #isRunning = false;
  #backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);

  /**
   * @param api an {@link Api}.
   * @param project as `loadProject` returns it.
   * @param drafts a {@link Drafts}.
   * @param callbacks
   *   - `onState(state)`: with "saved", "saving" or "offline".
   *   - `logIn()`: called when the session has expired; resolves after a login.
   *   - `checkUser()`: called before work goes on after an interruption; resolves if the account is
   *     still that of the page.
   *   - `chooseVersion(articleId)`: the article was changed elsewhere; resolves with "mine"
   *     or "theirs".
   *   - `onTheirs(articleId, spans)`: the server's spans replace those of the page.
   *   - `onBlocked(articleId, message)`: the work on an article cannot be saved.
   *   - `onSaved(articleId)`: the server has everything of an article.
   */
  constructor(api, project, drafts, callbacks) {
    this.#api = api;
    this.#project = project;
    this.#drafts = drafts;
    this.#callbacks = callbacks;
    this.ready = this.#restoreAll();
  }

  /** Resolves when the work of pages that were closed is known. */
  ready;

  /** Whether closing the page would lose unsaved work. */
  get wouldLoseWork() {
    return this.#drafts.wouldLoseWork;
  }

  /** Return the unsaved work on an article, or null. */
  unsaved(article) {
    return this.#works.get(article) ?? null;
  }

  /** Return a number that changes when the server's spans of an article are changed. */
  revision(article) {
    return this.#revisions.get(article) ?? 0;
  }

  /** Return the spans that the server is known to hold. */
  stored(article) {
    return this.#works.get(article)?.stored ?? this.#stored.get(article);
  }

  /** Set the spans that the server holds, as they were just read. */
  setStored(article, spans) {
    if (!this.#works.has(article)) {
      this.#stored.set(article, spans);
    }
  }

  /**
   * Save the state of an article; returns at once. Its stored spans must be set.
   *
   * @param isConfirmed whether the article shall be confirmed; null to leave it as it is.
   */
  save(article, { text, wanted, isConfirmed = null }) {
    const stored = this.stored(article);
    const work = this.#works.get(article) ?? new ArticleWork(article, { text, stored, wanted });
    work.wanted = wanted;
    work.isConfirmed = isConfirmed ?? work.isConfirmed;
    work.isBlocked = false;
    work.failures = 0;
    this.#works.set(article, work);
    this.#keep(work);
    // It need not wait for an article that cannot be saved now.
    this.#backoff.end();
    this.#run();
  }

  /** Try again at once instead of after the pause. */
  retry() {
    for (const work of this.#works.values()) {
      work.isBlocked = false;
      work.isUncertain = true;
    }
    this.#backoff.end();
    this.#run();
  }

  async #restoreAll() {
    for (const [id, isLive] of await this.#drafts.found()) {
      if (isLive) {
        this.#drafts.whenClosed(id).then(() => this.#restore(id));
      } else {
        this.#restore(id);
      }
    }
    this.#run();
  }

  #restore(article) {
    const draft = this.#drafts.get(article);
    if (draft && !this.#works.has(article)) {
      this.#works.set(article, new ArticleWork(article, { ...draft, isUncertain: true }));
      this.#callbacks.onTheirs(article, draft.wanted);
      this.#run();
    }
  }

  /** Forget the unsaved work on an article. */
  discard(article) {
    this.#works.delete(article);
    this.#drafts.drop(article);
  }

  async #run() {
    if (this.#isRunning) {
      return;
    }
    this.#isRunning = true;
    this.#backoff.reset();
    for (let work = this.#next(); work; work = this.#next()) {
      this.#callbacks.onState("saving");
      try {
        await alone(`orbat/annotate/${work.id}`, () => this.#send(work));
        this.#backoff.reset();
        this.#nameFailing();
      } catch (error) {
        work.isUncertain = true;
        this.#callbacks.onState("offline");
        if (error instanceof ApiError && error.isTemporary) {
          work.failures++;
          work.failure = error.message;
          if (error.status === 500) {
            this.#nameFailing();
          }
          await this.#backoff.pause();
        } else if (error instanceof ApiError && error.kind === "login") {
          await this.#callbacks.logIn();
        } else if (["refused", "missing"].includes(error.kind) && !work.wasRefused) {
          // Perhaps the spans were changed elsewhere: they are read before the next attempt.
          work.wasRefused = true;
        } else {
          this.#block(work, error);
        }
      }
    }
    this.#isRunning = false;
    this.#callbacks.onState(this.#works.size ? "offline" : "saved");
  }

  /** Return the work that failed least often: one that always fails must not hold up the others. */
  #next() {
    const works = [...this.#works.values()].filter((work) => !work.isBlocked);
    return works.sort((a, b) => a.failures - b.failures)[0];
  }

  /** Name the articles that fail again and again, while the server answers. */
  #nameFailing() {
    for (const work of this.#works.values()) {
      if (work.failures >= NAMED_AFTER) {
        const message = `${work.failure} It is tried again. Your spans are kept in this browser.`;
        this.#callbacks.onBlocked(work.id, message);
      }
    }
  }

  #block(work, error) {
    work.isBlocked = true;
    const reason =
      error.kind === "missing" ? "This article was deleted on the server." : error.message;
    this.#callbacks.onBlocked(work.id, `${reason} Your spans are kept in this browser.`);
  }

  async #send(work) {
    if (work.isUncertain) {
      await this.#callbacks.checkUser();
      await this.#reconcile(work);
    }
    for (;;) {
      const change = nextChange(work.stored, work.wanted);
      if (change === null && work.isConfirmed === null) {
        break;
      }
      // What is read while the server changes may be old: the number differs before and after.
      this.#countChange(work.id);
      try {
        await (change ? this.#carryOut(work, change) : this.#confirm(work));
      } finally {
        this.#countChange(work.id);
      }
    }
    this.#stored.set(work.id, work.stored);
    this.#works.delete(work.id);
    this.#drafts.drop(work.id);
    this.#callbacks.onSaved(work.id);
  }

  #countChange(article) {
    this.#revisions.set(article, this.revision(article) + 1);
  }

  async #carryOut(work, change) {
    work.pending = change;
    this.#keep(work);
    const { span } = change;
    const place = [this.#api, this.#project.id, work.id];
    let { id } = span;
    if (change.kind === "delete") {
      await deleteSpan(...place, id);
    } else if (change.kind === "relabel") {
      await relabelSpan(...place, id, this.#labelId(change.label));
    } else {
      id = await createSpan(...place, { ...span, labelId: this.#labelId(span.label) });
    }
    work.stored = applied(work.stored, { ...change, span: { ...span, id } });
    work.pending = null;
    work.wasRefused = false;
  }

  #labelId(name) {
    const label = this.#project.labels.find((candidate) => candidate.name === name);
    if (!label) {
      throw new Error("This project does not have the label of a span any more.");
    }
    return label.id;
  }

  async #confirm(work) {
    const wanted = work.isConfirmed;
    const article = await this.#readUnchanged(work);
    if (article.isConfirmed !== wanted) {
      await changeConfirmation(this.#api, this.#project.id, work.id, wanted);
    }
    if (work.isConfirmed === wanted) {
      work.isConfirmed = null;
    }
  }

  async #readUnchanged(work) {
    const article = await readArticle(this.#api, this.#project.id, work.id);
    if (article.text !== work.text) {
      throw new Error(
        "The text of this article was changed on the server, so that its spans do not fit.",
      );
    }
    return article;
  }

  /** Read the server's spans, and ask if somebody else has changed them. */
  async #reconcile(work) {
    const article = await this.#readUnchanged(work);
    await this.#checkLabels(work);
    const theirs = await listSpans(this.#api, this.#project, article);
    const { pending } = work;
    const isDone = pending !== null && wasCarriedOut(pending, theirs);
    const known = isDone ? applied(work.stored, pending) : work.stored;
    work.pending = null;
    const isChanged = !haveSameSpans(known, theirs) && !haveSameSpans(work.wanted, theirs);
    if (isChanged && (await this.#callbacks.chooseVersion(work.id)) === "theirs") {
      work.wanted = theirs;
      this.#callbacks.onTheirs(work.id, theirs);
    }
    work.stored = theirs;
    work.isUncertain = false;
  }

  async #checkLabels(work) {
    const labels = await listLabels(this.#api, this.#project.id);
    const names = new Set(labels.map((label) => label.name));
    const gone = work.wanted.find((span) => span.label !== null && !names.has(span.label));
    if (gone) {
      throw new Error(`The label ${gone.label} was deleted on the server.`);
    }
  }

  #keep(work) {
    const { text, stored, wanted, isConfirmed, pending } = work;
    this.#drafts.keep(work.id, { text, stored, wanted, isConfirmed, pending });
  }
}
