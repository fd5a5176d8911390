/* <copy-button for="id"><button>…</button></copy-button>: copies the text (or value) of the element with that id. */
class CopyButton extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", async () => {
      const from = document.getElementById(this.getAttribute("for")), text = this.dataset.text ?? from.value ?? from.textContent;
      try { await navigator.clipboard.writeText(text); } catch { this.#select(from); return; }
      this.classList.add("done");
      setTimeout(() => this.classList.remove("done"), 2000);
    });
  }
  /* Without the clipboard (an http address of another machine) the text is selected, ready for Ctrl-C. */
  #select(from) { if (from) getSelection().selectAllChildren(from); }
}
customElements.define("copy-button", CopyButton);
