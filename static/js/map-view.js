/* <map-view>: moves and sizes the map inside its port. Buttons, + − 0, Ctrl and wheel, dragging; arrow keys scroll it as
   any region. The drawing is fetched again while one looks; its size stays. */
const STEP = 1.25, LARGEST = 4;

class MapView extends HTMLElement {
  #zoom = 1;
  #port = null;

  connectedCallback() {
    this.#port = this.querySelector(".map-port");
    const tools = this.querySelector(".map-tools");
    tools.hidden = false;
    tools.addEventListener("click", event => {
      const how = event.target.closest("[data-zoom]")?.dataset.zoom;
      if (how) this.#by(how);
    });
    this.#port.addEventListener("keydown", event => {
      const how = { "+": "in", "=": "in", "-": "out", 0: "fit" }[event.key];
      if (how && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); this.#by(how); }
    });
    this.#port.addEventListener("wheel", event => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.#to(this.#zoom * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });
    this.#port.addEventListener("pointerdown", event => this.#drag(event));
    // Not under a hand: neither while the map is dragged nor while a key is about to press something beside it.
    this.addEventListener("htmx:beforeRequest", event => {
      if (this.#port.classList.contains("grabbed") || document.activeElement?.closest("#map-side")) event.preventDefault();
    });
    this.addEventListener("htmx:afterSettle", () => this.#apply());
    addEventListener("resize", () => this.#grabs());
    this.#grabs();
    this.#show(this.querySelector(".sel"));
  }

  get #drawing() { return this.#port.querySelector("svg"); }

  /* The zoom at which the whole drawing is in sight; 1 is as wide as the port. */
  get #whole() {
    const box = this.#drawing.getBoundingClientRect(), style = getComputedStyle(this.#port);
    const room = this.#port.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    return Math.min(1, this.#zoom * room / box.height);
  }

  #by(how) {
    const box = this.#port.getBoundingClientRect();
    const wanted = how === "fit" ? this.#whole : how === "in" ? this.#zoom * STEP : this.#zoom / STEP;
    this.#to(wanted, box.left + box.width / 2, box.top + box.height / 2);
  }

  /* Changes the zoom so that what is at that point of the window stays there. */
  #to(zoom, x, y) {
    const before = this.#drawing.getBoundingClientRect();
    const across = (x - before.left) / before.width, down = (y - before.top) / before.height;
    this.#zoom = Math.min(Math.max(zoom, Math.min(this.#whole, 0.5)), LARGEST);
    this.#apply();
    const after = this.#drawing.getBoundingClientRect();
    this.#port.scrollLeft += after.left + across * after.width - x;
    this.#port.scrollTop += after.top + down * after.height - y;
  }

  #apply() {
    const drawing = this.#drawing;
    if (!drawing) return;
    // At its own size the style sheet rules, which keeps it readable on a phone.
    drawing.style.width = this.#zoom === 1 ? "" : `${this.#zoom * 100}%`;
    drawing.style.minWidth = this.#zoom < 1 ? "0" : "";
    this.#grabs();
  }

  #grabs() {
    const port = this.#port;
    port.classList.toggle("grabs", port.scrollWidth > port.clientWidth + 1 || port.scrollHeight > port.clientHeight + 1);
  }

  #drag(event) {
    if (event.button || event.pointerType === "touch") return;      // a finger scrolls by itself
    const port = this.#port, from = { x: event.clientX, y: event.clientY, left: port.scrollLeft, top: port.scrollTop };
    let moved = false;
    const move = now => {
      const x = now.clientX - from.x, y = now.clientY - from.y;
      if (!moved && Math.hypot(x, y) < 4) return;
      moved = true;
      port.classList.add("grabbed");
      port.scrollLeft = from.left - x; port.scrollTop = from.top - y;
    };
    const end = () => {
      removeEventListener("pointermove", move); removeEventListener("pointerup", end); removeEventListener("pointercancel", end);
      port.classList.remove("grabbed");
      if (!moved) return;
      // Letting go over a station is no click on it.
      const stop = click => { click.preventDefault(); click.stopPropagation(); };
      addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => removeEventListener("click", stop, true));
    };
    const link = event.target.closest("a");
    if (link) link.addEventListener("dragstart", start => start.preventDefault(), { once: true });
    addEventListener("pointermove", move); addEventListener("pointerup", end); addEventListener("pointercancel", end);
  }

  #show(node) {
    if (!node) return;
    const box = node.getBoundingClientRect(), port = this.#port.getBoundingClientRect();
    this.#port.scrollTop += box.top + box.height / 2 - port.top - port.height / 2;
    this.#port.scrollLeft += box.left + box.width / 2 - port.left - port.width / 2;
  }
}
customElements.define("map-view", MapView);
