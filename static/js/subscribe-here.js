/* The panel that opens on a page: the caret goes into it when it comes, and back to what opened it when it is closed. */
document.addEventListener("htmx:afterSwap", event => {
  if (event.detail.target?.id !== "subscribe-here") return;
  document.getElementById("here-title")?.focus();
});
document.addEventListener("click", event => {
  const button = event.target.closest("[data-close]");
  if (!button) return;
  document.getElementById(button.dataset.close)?.replaceChildren();
  document.querySelector(`[aria-controls="${button.dataset.close}"]`)?.focus();
});
