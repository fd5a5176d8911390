/* What keys and the palette do on the page they are on: each is asked for by a "deed" event with its name. */
const deeds = {
  theme: () => document.querySelector("theme-toggle button")?.click(),
  "sign-out": () => document.querySelector("form[data-sign-out]")?.requestSubmit(),
  new: () => document.querySelector("main [data-new]")?.click(),
  search: () => { const field = document.querySelector("[data-search]"); field?.focus(); field?.select(); },
};
document.addEventListener("deed", event => deeds[event.detail]?.());
