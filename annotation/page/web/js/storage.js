/** Values in the browser's storage, which may be full or forbidden. */

/**
 * JSON values by name, in the part of the storage whose keys have a prefix.
 *
 * What the browser refuses to keep is held as long as the page is open.
 */
export class StoredValues {
  #prefix;
  #unstored = new Map();

  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** Whether closing the page would lose a value. */
  get wouldLose() {
    return this.#unstored.size > 0;
  }

  /** Return a value, or null. */
  get(name) {
    if (this.#unstored.has(name)) {
      return this.#unstored.get(name);
    }
    try {
      return JSON.parse(localStorage.getItem(this.#prefix + name));
    } catch {
      return null;
    }
  }

  set(name, value) {
    try {
      localStorage.setItem(this.#prefix + name, JSON.stringify(value));
      this.#unstored.delete(name);
    } catch {
      this.#unstored.set(name, value);
    }
  }

  remove(name) {
    this.#unstored.delete(name);
    try {
      localStorage.removeItem(this.#prefix + name);
    } catch {
      // Where storage is forbidden nothing was kept.
    }
  }

  /** Return the names of all values. */
  names() {
    let keys = [];
    try {
      keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
    } catch {
      // Where storage is forbidden nothing was kept.
    }
    const stored = keys.map((key) => key.slice(this.#prefix.length));
    return [...new Set([...stored, ...this.#unstored.keys()])];
  }

  /** Return whether an event of the browser's storage is about these values. */
  concerns(event) {
    return event.key === null || event.key.startsWith(this.#prefix);
  }
}
