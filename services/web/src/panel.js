/** The panel beside the conversation: a heading, a way out, and whatever it is about. */
import { Icon } from "./icons.js";
import { useSession } from "./session.js";
import { html, useEffect, useId, useRef } from "./view.js";

/** @param {{title: string, onClose: () => void, children: unknown}} props */
export function Panel({ title, onClose, children }) {
  const { t } = useSession();
  const heading = useRef(/** @type {HTMLElement|null} */ (null));
  const id = useId();
  useEffect(() => heading.current?.focus(), []);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    onClose();
  };
  return html`<aside class="panel" aria-labelledby=${id} onKeyDown=${onKeyDown}>
    <header>
      <h2 id=${id} ref=${heading} tabindex="-1">${title}</h2>
      <button type="button" class="quiet round" aria-label=${t.close} title=${t.close} onClick=${onClose}><${Icon} name="close" /></button>
    </header>
    <div class="panel-body">${children}</div>
  </aside>`;
}
