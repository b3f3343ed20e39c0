/**
 * Agreement between the tabs of a browser.
 *
 * Browsers offer locks on secure addresses only, which include this machine's. Elsewhere each tab
 * works as if it were the only one.
 */

/** Run a function while no other tab runs one of the same name. */
export function alone(name, run) {
  return navigator.locks ? navigator.locks.request(name, run) : run();
}

/** Hold a name as long as this page is open. */
export function hold(name) {
  navigator.locks?.request(name, () => new Promise(() => {}));
}

/** Return the names that tabs hold. */
export async function heldNames() {
  const { held } = navigator.locks ? await navigator.locks.query() : { held: [] };
  return new Set(held.map((lock) => lock.name));
}
