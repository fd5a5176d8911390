/* The list of keys, and the switch of single keys in it, which this browser remembers. */
const dialog = document.getElementById("keys"), single = document.getElementById("single-keys"), KEPT = "signalbox-keys";
const kept = () => { try { return localStorage.getItem(KEPT); } catch { return null; } };
const show = on => { document.documentElement.dataset.keys = on ? "on" : "off"; };

if (dialog) {
  single.checked = kept() !== "off";
  show(single.checked);
  single.addEventListener("change", () => {
    show(single.checked);
    try { localStorage.setItem(KEPT, single.checked ? "on" : "off"); } catch { /* for this page alone, then */ }
  });
  document.addEventListener("deed", event => { if (event.detail === "keys" && !dialog.open) dialog.showModal(); });
  if (/Mac|iPhone|iPad/.test(navigator.platform)) for (const cap of document.querySelectorAll("kbd[data-mac]")) cap.textContent = cap.dataset.mac.startsWith("⌘") ? cap.dataset.mac : `⌘ ${cap.dataset.mac}`;
}
/* A button in a dialog that closes it, and a press beside it. */
document.addEventListener("click", event => {
  event.target.closest?.("[data-close-dialog]")?.closest("dialog").close();
  if (event.target.matches?.("dialog[open]")) event.target.close();
});
