/** Moves the focus between the parts of the page, because Tab goes from span to span. */

const REGIONS = ["text", "tools", "labels", "panel", "confirm-bar"];
const FOCUSABLE = "button, input, textarea, a[href], [tabindex]";

/** Move the focus to the next part of the page that is shown; `step` is 1 or -1. */
export function focusNextRegion(step) {
  const regions = REGIONS.map((id) => document.getElementById(id)).filter(
    (region) => targetIn(region) !== undefined,
  );
  const current = regions.findIndex((region) => region.contains(document.activeElement));
  const next = current < 0 ? 0 : (current + step + regions.length) % regions.length;
  targetIn(regions[next]).focus();
}

/** Return the first element of a region that can take the focus. */
function targetIn(region) {
  const candidates = region.matches(FOCUSABLE) ? [region] : region.querySelectorAll(FOCUSABLE);
  return [...candidates].find((element) => !element.disabled && element.checkVisibility());
}
