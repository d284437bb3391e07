/** Starts the page. */
import { App } from "./app.js";
import { html, render } from "./view.js";

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
