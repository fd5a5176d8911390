/* The keys that the list of keys names (#keys [data-keys]): "g m" is two keys, one after the other. They rest while
   somebody writes, while something lies over the page, and where single keys were switched off (WCAG 2.1.4). */
const PATIENCE = 1500;
const known = new Map([...document.querySelectorAll("#keys [data-keys]")].map(item => [item.dataset.keys, item.dataset]));
let before = "", since = 0;

const writing = at => at instanceof Element && at.closest("input, textarea, select, [contenteditable]");
addEventListener("keydown", event => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.documentElement.dataset.keys === "off" || writing(event.target)) return;
  if (event.key.length !== 1 || document.querySelector("dialog[open], :popover-open")) { before = ""; return; }
  const first = before && Date.now() - since < PATIENCE ? before : "";
  const pressed = first ? `${first} ${event.key}` : event.key;
  const found = known.get(pressed);
  before = !found && !first && [...known.keys()].some(keys => keys.startsWith(`${pressed} `)) ? pressed : "";
  since = Date.now();
  if (!found) return;
  event.preventDefault();
  if (found.href) location.assign(found.href);
  else document.dispatchEvent(new CustomEvent("deed", { detail: found.do }));
});
