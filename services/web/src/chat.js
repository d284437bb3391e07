/** The conversation: turns above, the question box below. */
import { TurnView } from "./answer.js";
import { Composer } from "./composer.js";
import { applyEvent, failTurn, historyOf, isOpen, startTurn, stopTurn } from "./conversation.js";
import { problemText, useSession } from "./session.js";
import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from "./view.js";

/** @import {Status, StoredDocument, Style} from "./api.js" */
/** @import {Turn} from "./conversation.js" */

/** How far from its end the conversation still counts as being read at the end. */
const nearEndPx = 80;

/** @param {{status: Status|null, documents: StoredDocument[]|null, inert: boolean, hidden: boolean, onAddDocuments: () => void}} props */
export function Chat({ status, documents, inert, hidden, onAddDocuments }) {
  const { api, t } = useSession();
  const [turns, setTurns] = useState(/** @type {Turn[]} */ ([]));
  const [style, setStyle] = useState(savedStyle);
  const running = useRef(/** @type {AbortController|null} */ (null));
  const nextId = useRef(1);
  const scroller = useFollowEnd(turns);
  const last = turns.at(-1);
  const busy = last !== undefined && isOpen(last);

  useEffect(() => () => running.current?.abort(), []); // a new chat stops the old one's answer

  /** @param {string} question @param {Style} style @param {Turn[]} before */
  const ask = async (question, style, before) => {
    const abort = new AbortController();
    running.current = abort;
    const turn = startTurn(nextId.current++, question, style);
    setTurns([...before, turn]);
    /** @param {(turn: Turn) => Turn} change */
    const update = (change) => setTurns((now) => now.map((other) => (other.id === turn.id ? change(other) : other)));
    try {
      for await (const event of api.ask({ question, style, history: historyOf(before), signal: abort.signal })) {
        update((now) => applyEvent(now, event));
      }
      update((now) => failTurn(now, t.connectionLost)); // does nothing to a turn that `done` has ended
    } catch (error) {
      update((now) => {
        if (abort.signal.aborted) return stopTurn(now);
        return failTurn(now, now.phase === "searching" ? problemText(error, t) : t.connectionLost);
      });
    }
  };

  return html`<main class="chat" inert=${inert} hidden=${hidden}>
    <div class="scroller" ref=${scroller} tabindex="-1">
      ${turns.length === 0
        ? html`<${Welcome} status=${status} empty=${documents?.length === 0} onAddDocuments=${onAddDocuments} />`
        : html`<h1 class="hidden">${t.conversation}</h1><div class="turns" role="log" aria-label=${t.conversation}>
            ${turns.map((turn, place) => html`<${TurnView} key=${turn.id} turn=${turn}
              onRetry=${!busy && place === turns.length - 1 ? () => ask(turn.question, turn.style, turns.slice(0, -1)) : null} />`)}
          </div>`}
    </div>
    <div class="foot">
      <${EngineLine} status=${status} />
      <${Composer} busy=${busy} onStop=${() => running.current?.abort()}
        onAsk=${(/** @type {string} */ question) => ask(question, style, turns)}>
        <${Styles} style=${style} onChoose=${setStyle} />
      <//>
      <${Note} status=${status} />
    </div>
  </main>`;
}

/** @param {{status: Status|null, empty: boolean, onAddDocuments: () => void}} props */
function Welcome({ status, empty, onAddDocuments }) {
  const { t } = useSession();
  return html`<div class="welcome">
    <h1>${t.welcome}</h1>
    <p>${empty ? t.emptyLibrary : t.welcomeText}</p>
    ${empty && html`<button type="button" class="primary" onClick=${onAddDocuments}>${t.addDocuments}</button>`}
    ${status && !empty && html`<p class="fine">
      ${t.librarySize(status.documents, status.chunks)}${status.engine.state === "ready" && ` · ${t.modelIs(status.engine.model)}`}
    </p>`}
  </div>`;
}

/** Says in words that answers are quotes while there is no engine. @param {{status: Status|null}} props */
function EngineLine({ status }) {
  const { t } = useSession();
  const words = { starting: t.engineStarting, failed: t.engineFailed, off: t.engineOff, ready: "" };
  const { state, detail } = status?.engine ?? { state: "ready", detail: "" };
  // The region stays in place, empty, because a screen reader announces only changes inside one it already knows.
  return html`<div class=${`engine ${state}`} role="status">
    ${words[state] && html`<p><span class="dot"></span><span>${words[state]}</span>${state === "failed" && detail && html`<small>${detail}</small>`}</p>`}
  </div>`;
}

/** What the server has to say of its profile. @param {{status: Status|null}} props */
function Note({ status }) {
  const { language } = useSession();
  return status?.note && html`<p class="fine note">${status.note[language]}</p>`;
}

/** How the answer shall be worded. @param {{style: Style, onChoose: (style: Style) => void}} props */
function Styles({ style, onChoose }) {
  const { t } = useSession();
  const styles = [
    { value: "auto", label: t.styleAuto, hint: t.styleAutoHint },
    { value: "generated", label: t.styleGenerated, hint: t.styleGeneratedHint },
    { value: "quotes", label: t.styleQuotes, hint: t.styleQuotesHint },
  ];
  /** @param {Style} next */
  const choose = (next) => {
    localStorage.setItem("graft.style", next);
    onChoose(next);
  };
  return html`<fieldset class="styles">
    <legend class="hidden">${t.style}</legend>
    ${styles.map(({ value, label, hint }) => html`<label key=${value} title=${hint}>
      <input type="radio" name="style" value=${value} checked=${style === value} onChange=${() => choose(/** @type {Style} */ (value))} />
      <span>${label}</span>
    </label>`)}
  </fieldset>`;
}

/** @returns {Style} */
function savedStyle() {
  const saved = localStorage.getItem("graft.style");
  return saved === "generated" || saved === "quotes" ? saved : "auto";
}

/**
 * Keeps the end of the conversation in view while it grows, unless the reader has scrolled up to read.
 * @param {Turn[]} turns
 */
function useFollowEnd(turns) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const follows = useRef(true);
  const count = useRef(0);
  const scroller = useCallback((/** @type {HTMLElement|null} */ node) => {
    element.current = node;
    node?.addEventListener("scroll", () => {
      follows.current = node.scrollHeight - node.scrollTop - node.clientHeight < nearEndPx;
    }, { passive: true });
  }, []);
  useLayoutEffect(() => {
    if (turns.length > count.current) follows.current = true; // a question of one's own is always shown
    count.current = turns.length;
    if (element.current && follows.current) element.current.scrollTop = element.current.scrollHeight;
  }, [turns]);
  return scroller;
}
