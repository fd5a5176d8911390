/* "/" focuses the page's search and Ctrl-K (⌘ K on a Mac) the one of the top bar, as their key caps say; one stands in for
   the other where it is missing. Escape closes an open <details data-menu>. */
const [ours, everywhere] = ["[data-search]", "#find-anything"].map(name => () => document.querySelector(name));
const cap = document.querySelector(".find kbd");
if (cap && navigator.platform.startsWith("Mac")) cap.textContent = "⌘K";
const focus = (search, event) => { if (search) { event.preventDefault(); search.focus(); search.select(); } };
addEventListener("keydown", event => {
  const inField = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
    focus(ours() ?? everywhere(), event);
  }
  if (event.key?.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) focus(everywhere() ?? ours(), event);
  if (event.key === "Escape") {
    const menu = document.querySelector("details[data-menu][open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  }
});
addEventListener("click", event => {
  const menu = document.querySelector("details[data-menu][open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});
