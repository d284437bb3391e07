/** One question, answered by every arm in a column of its own, from one search. */
import { Abstention, AnswerText, HitList, progressText, Verdict } from "./answer.js";
import { applyCompared, arms, failComparison, isComparing, startComparison, stopComparison } from "./comparison.js";
import { Composer } from "./composer.js";
import { isOpen } from "./conversation.js";
import { problemText, useSession } from "./session.js";
import { languageOf } from "./text.js";
import { html, useEffect, useRef, useState } from "./view.js";

/** @import {Arm} from "./api.js" */
/** @import {Comparison} from "./comparison.js" */
/** @import {Turn} from "./conversation.js" */

/** @param {{inert: boolean, hidden: boolean}} props */
export function Compare({ inert, hidden }) {
  const { api, t } = useSession();
  const [comparison, setComparison] = useState(/** @type {Comparison|null} */ (null));
  const running = useRef(/** @type {AbortController|null} */ (null));
  const nextId = useRef(1);
  const busy = comparison !== null && isComparing(comparison);

  useEffect(() => () => running.current?.abort(), []);

  /** @param {string} question */
  const ask = async (question) => {
    const abort = new AbortController();
    running.current = abort;
    const started = startComparison(nextId.current++, question);
    setComparison(started);
    /** @param {(comparison: Comparison) => Comparison} change */
    const update = (change) => setComparison((now) => (now?.id === started.id ? change(now) : now));
    try {
      for await (const event of api.compare({ question, arms, signal: abort.signal })) {
        update((now) => applyCompared(now, event));
      }
      update((now) => failComparison(now, t.connectionLost)); // does nothing to answers that have ended
    } catch (error) {
      update((now) => {
        if (abort.signal.aborted) return stopComparison(now);
        return failComparison(now, now.hits.length ? t.connectionLost : problemText(error, t));
      });
    }
  };

  return html`<main class="chat" inert=${inert} hidden=${hidden}>
    <div class="scroller" tabindex="-1">
      ${comparison ? html`<${Columns} comparison=${comparison} />` : html`<div class="welcome"><h1>${t.compareWelcome}</h1><p>${t.compareText}</p></div>`}
    </div>
    <div class="foot">
      <${Composer} busy=${busy} onStop=${() => running.current?.abort()} onAsk=${ask}><span class="fine compare-hint">${t.compareHint}</span><//>
    </div>
  </main>`;
}

/** @param {{comparison: Comparison}} props */
function Columns({ comparison }) {
  const { t } = useSession();
  const { question, hits, columns, absent } = comparison;
  return html`<div class="comparison">
    <h1 class="hidden">${t.comparison}</h1>
    <h2 class="question" lang=${languageOf(question)}><span class="hidden">${t.you}: </span>${question}</h2>
    <p class="hidden" role="status">${isComparing(comparison) ? t.comparing : t.compared}</p>
    <div class="columns">
      ${arms.map((arm) => html`<${Column} key=${arm} arm=${arm} turn=${columns[arm]} absent=${absent.includes(arm)} />`)}
    </div>
    ${hits.length > 0 && html`<details class="read answer-foot">
      <summary>${t.passagesRead(hits.length)}</summary>
      <${HitList} hits=${hits} />
    </details>`}
  </div>`;
}

/** @param {{arm: Arm, turn: Turn, absent: boolean}} props */
function Column({ arm, turn, absent }) {
  const { t } = useSession();
  const abstained = turn.answer?.abstained ?? false;
  return html`<section class=${absent ? "column absent" : "column"} aria-label=${t.armTitles[arm]} data-phase=${turn.phase}>
    <h3 title=${t.armHints[arm]}>${t.armTitles[arm]}</h3>
    ${abstained ? html`<${Abstention} turn=${turn} />` : html`<${AnswerText} turn=${turn} />`}
    ${isOpen(turn) && html`<p class="progress"><span class="pulse"></span>${progressText(turn, t)}</p>`}
    ${turn.phase === "stopped" && html`<p class="progress">${t.stopped}</p>`}
    ${absent && html`<p class="fine">${t.notThere}: ${turn.problem}</p>`}
    ${turn.phase === "failed" && !absent && html`<p class="problem" role="alert">${turn.problem}</p>`}
    ${turn.answer && html`<${ColumnFoot} turn=${turn} />`}
  </section>`;
}

/** @param {{turn: Turn}} props */
function ColumnFoot({ turn }) {
  const { t } = useSession();
  const { usage, timings_ms: times } = /** @type {import("./api.js").Answer} */ (turn.answer);
  return html`<footer class="answer-foot">
    ${!turn.answer?.abstained && html`<${Verdict} turn=${turn} />`}
    ${times.total !== undefined && html`<span>${t.seconds((times.total / 1000).toFixed(1))}</span>`}
    ${usage.prompt_tokens !== undefined && html`<span>${t.tokens(usage.prompt_tokens, usage.completion_tokens ?? 0)}</span>`}
  </footer>`;
}
