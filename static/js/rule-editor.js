/* The rule editor: what the server found wrong goes from its answer into the code areas, line by line.
   Everything else on the page is htmx and CSS. */
const hand = () => {
  for (const { dataset } of document.querySelectorAll("[data-area][data-problems]")) {
    const area = document.getElementById(dataset.area);
    if (area) area.problems = JSON.parse(dataset.problems).filter(Boolean);
  }
};
customElements.whenDefined("code-area").then(hand);
document.addEventListener("htmx:afterSettle", hand);
