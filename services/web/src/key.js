/** Asks for the access key when the server wants one. */
import { problemText, useSession } from "./session.js";
import { html, useEffect, useRef, useState } from "./view.js";

/**
 * @param {{said: string, onKey: (key: string) => Promise<void>}} props `said` is why the server wants a key; `onKey` throws
 * what it says to the one given.
 */
export function KeyPrompt({ said, onKey }) {
  const { t } = useSession();
  const [problem, setProblem] = useState("");
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  useEffect(() => input.current?.focus(), []);

  /** @param {SubmitEvent} event */
  const submit = async (event) => {
    event.preventDefault();
    const key = input.current?.value.trim();
    if (!key) return;
    try {
      await onKey(key);
    } catch (error) {
      setProblem(/** @type {{status?: number}} */ (error).status === 401 ? t.keyWrong : problemText(error, t));
      input.current?.select();
    }
  };

  return html`<main class="key">
    <form onSubmit=${submit}>
      <h1>${t.keyTitle}</h1>
      <p>${t.keyText}</p>
      ${said && html`<p class="fine">${said}</p>`}
      <label for="key">${t.key}</label>
      <input id="key" ref=${input} type="password" autocomplete="off" spellcheck=${false} required
        aria-invalid=${problem !== ""} aria-describedby="key-problem" />
      <p id="key-problem" class="error" role="alert">${problem}</p>
      <button type="submit" class="primary">${t.keyEnter}</button>
    </form>
  </main>`;
}
