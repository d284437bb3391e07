/** The box in which a question is written, and the button that sends it or stops the answer. */
import { Icon } from "./icons.js";
import { useSession } from "./session.js";
import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "./view.js";

/**
 * @param {{busy: boolean, onAsk: (question: string) => void, onStop: () => void, children: unknown}} props `children` stand
 * in the row of the button.
 */
export function Composer({ busy, onAsk, onStop, children }) {
  const { t } = useSession();
  const [question, setQuestion] = useState("");
  const id = useId();
  const box = useRef(/** @type {HTMLTextAreaElement|null} */ (null));

  useEffect(() => box.current?.focus(), []);
  useLayoutEffect(() => {
    // The box grows with its text; its maximum stands in the style sheet.
    if (!box.current) return;
    box.current.style.height = "auto";
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [question]);

  const send = () => {
    const text = question.trim();
    if (!text || busy) return;
    onAsk(text);
    setQuestion("");
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    // While an input method composes (pinyin!) Enter chooses characters. Safari ends the composition before this event
    // and tells only by the key code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  };
  const stop = () => {
    onStop();
    box.current?.focus();
  };

  return html`<form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
    <label class="hidden" for=${id}>${t.question}</label>
    <textarea id=${id} ref=${box} rows="1" placeholder=${t.questionHint} title=${t.sendHint} value=${question}
      onInput=${(/** @type {InputEvent} */ event) => setQuestion(/** @type {HTMLTextAreaElement} */ (event.target).value)}
      onKeyDown=${onKeyDown}></textarea>
    <div class="composer-row">
      ${children}
      ${busy
        ? html`<button key="stop" type="button" class="primary round" aria-label=${t.stop} title=${t.stop} onClick=${stop}><${Icon} name="stop" /></button>`
        : html`<button key="send" type="submit" class="primary round" aria-label=${t.send} title=${t.send} disabled=${!question.trim()}><${Icon} name="send" /></button>`}
    </div>
  </form>`;
}
