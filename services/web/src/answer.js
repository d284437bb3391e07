/** One turn as the reader sees it: the question, the judged sentences, what is still provisional, the citations. */
import { isOpen, isSaidBefore, provisionalText, shownQuotes } from "./conversation.js";
import { Icon } from "./icons.js";
import { useSession } from "./session.js";
import { strings } from "./strings.js";
import { excerpt, keptTogether, languageOf, marked, spaceBetween, splitAtMarkers, unwrap } from "./text.js";
import { html, useEffect, useState } from "./view.js";

/** @import {Citation, Hit, Sentence} from "./api.js" */
/** @import {Turn} from "./conversation.js" */

/** @param {{turn: Turn, onRetry: (() => void)|null}} props `onRetry` asks the same question again. */
export function TurnView({ turn, onRetry }) {
  const { t } = useSession();
  const abstained = turn.answer?.abstained ?? false;
  return html`<article class="turn">
    <h2 class="question" lang=${languageOf(turn.question)}><span class="hidden">${t.you}: </span>${turn.question}</h2>
    <div class="answer">
      ${abstained ? html`<${Abstention} turn=${turn} />` : html`<${AnswerText} turn=${turn} />`}
      <p class="progress" role="status">
        ${isOpen(turn) && html`<span class="pulse"></span>${progressText(turn, t)}`}
        ${turn.phase === "done" && html`<span class="hidden">${t.answerReady}</span>`}
        ${turn.phase === "stopped" && t.stopped}
      </p>
      ${turn.phase === "failed" && html`<p class="problem" role="alert">${turn.problem}</p>`}
      ${(turn.phase === "failed" || turn.phase === "stopped") && onRetry
        && html`<button type="button" class="quiet outlined" onClick=${onRetry}>${t.retry}</button>`}
      ${turn.phase === "done" && !abstained && html`<${AnswerFoot} turn=${turn} />`}
    </div>
  </article>`;
}

/** What is being done for an open turn. @param {Turn} turn @param {import("./strings.js").Strings} t */
export function progressText(turn, t) {
  if (turn.phase === "writing") return t.writing;
  return turn.hits.length ? t.reading(turn.hits.length, new Set(turn.hits.map((hit) => hit.document_id)).size) : t.searching;
}

/** The judged sentences, and what is not judged yet. @param {{turn: Turn}} props */
export function AnswerText({ turn }) {
  const { t } = useSession();
  const provisional = provisionalText(turn);
  const groups = groupsOf(turn.sentences);
  const allQuotes = turn.answer?.style === "quotes";
  return html`<div class="prose" lang=${turn.answer?.language}>
    ${allQuotes && html`<p class="kind">${t.quotedAnswer}</p>`}
    ${turn.answer?.reason && html`<p class="kind">${turn.answer.reason}</p>`}
    ${groups.map((group, place) => (group.style === "quotes"
      ? group.sentences.map((sentence) => html`<${QuotedSentence} key=${sentence.index} turn=${turn} sentence=${sentence} />`)
      : html`<p key=${`p${place}`}>${group.sentences.map((sentence, i) => html`<${WrittenSentence} key=${sentence.index} turn=${turn}
          sentence=${sentence} before=${group.sentences[i - 1]?.text ?? ""} />`)}</p>`))}
    ${turn.doubt && html`<p class="provisional doubt"><del>${turn.doubt.text}</del><span class="flag">${t.rewriting}</span></p>`}
    ${provisional.trim() && html`<p class="provisional" aria-hidden="true">${provisional}</p>`}
  </div>`;
}

/** Runs of sentences of one style: written ones share a paragraph. @param {Turn["sentences"]} sentences */
function groupsOf(sentences) {
  /** @type {{style: string, sentences: Turn["sentences"]}[]} */
  const groups = [];
  for (const sentence of sentences) {
    const last = groups.at(-1);
    if (last?.style === sentence.style) last.sentences.push(sentence);
    else groups.push({ style: sentence.style, sentences: [sentence] });
  }
  return groups;
}

/** @param {{turn: Turn, sentence: Turn["sentences"][number], before: string}} props */
function WrittenSentence({ turn, sentence, before }) {
  const { t } = useSession();
  const shown = (/** @type {string|number} */ part) => (typeof part === "number"
    ? html`<${Marker} citation=${turn.citations[part]} marker=${part} sentence=${sentence} />`
    : html`<span class="words">${part}</span>`);
  return html`${before && spaceBetween(before, sentence.text)}<span class=${markOf(sentence)}>
      ${keptTogether(splitAtMarkers(sentence.text, sentence.citations)).map((run) => (typeof run === "string"
        ? shown(run)
        : html`<span class="kept">${run.map(shown)}</span>`))}
    </span><${Flag} turn=${turn} sentence=${sentence} /><${Replaced} repair=${sentence.replaces} />`;
}

/** @param {Sentence} sentence */
function markOf({ supported, judged }) {
  if (supported) return "sentence";
  return judged ? "sentence unsupported" : "sentence unjudged";
}

/**
 * What is to be known of a sentence: its fault, or that it could not be judged; and the reason, the first time that the answer gives it.
 * @param {{turn: Turn, sentence: Turn["sentences"][number]}} props
 */
function Flag({ turn, sentence }) {
  const { t } = useSession();
  const { fault, judged, supported, reason } = sentence;
  if (supported && !fault) return null;
  const mark = fault ? t.faults[fault] : judged ? t.notSupported : t.notJudged;
  return html`${" "}<span class=${judged ? "flag" : "flag calm"}>${marked(mark, isSaidBefore(turn.sentences, sentence) ? "" : reason)}</span>`;
}

/** The model's own sentence that another one stands for. @param {{repair: import("./api.js").Repair|null|undefined}} props */
function Replaced({ repair }) {
  const { t } = useSession();
  return repair && html`<details class="replaced">
    <summary>${t.replaced[repair.action]}</summary>
    <span><del>${repair.text}</del>${repair.reason && ` · ${repair.reason}`}</span>
  </details>`;
}

/**
 * A quote shows the citation's own text, word for word, and where it stands. A sentence without citations is the frame
 * around the quotes, in the server's words.
 * @param {{turn: Turn, sentence: Turn["sentences"][number]}} props
 */
function QuotedSentence({ turn, sentence }) {
  const { t, language } = useSession();
  const shown = shownQuotes(turn.sentences).get(sentence.index) ?? [];
  const citations = shown.map((marker) => turn.citations[marker]).filter(Boolean);
  if (!sentence.citations.length) return html`<p>${sentence.text}</p>`;
  return citations.map((citation) => {
    const text = citation.quote || splitAtMarkers(sentence.text, sentence.citations).filter((part) => typeof part === "string").join("");
    const written = languageOf(text);
    return html`<figure class="quote" key=${citation.marker}>
      <blockquote lang=${written}>${unwrap(text)}</blockquote>
      <figcaption>
        <${Marker} citation=${citation} marker=${citation.marker} sentence=${sentence} />
        <span class="where">${citation.document}</span><span>${t.page(citation.page)}</span>
        ${written !== (turn.answer?.language ?? language) && html`<span class="original">${t.original[written]}</span>`}
      </figcaption>
      <${Flag} turn=${turn} sentence=${sentence} /><${Replaced} repair=${sentence.replaces} />
    </figure>`;
  });
}

/** @param {{citation: Citation|undefined, marker: number, sentence: Sentence}} props */
function Marker({ citation, marker, sentence }) {
  const { t, openReference } = useSession();
  if (!citation) return html`<span class="marker">${marker}</span>`;
  const label = t.openCitation(marker, citation.document, citation.page);
  return html`<button type="button" class="marker" aria-label=${label} title=${label}
    onClick=${() => openReference({ ...citation, support: sentence.support })}>${marker}</button>`;
}

/** How many of the model's own sentences the documents bear out. @param {{turn: Turn}} props */
export function Verdict({ turn }) {
  const { t } = useSession();
  const written = turn.sentences.filter((sentence) => sentence.style === "generated");
  const supported = written.filter((sentence) => sentence.supported).length;
  const disputed = turn.sentences.some((sentence) => sentence.fault === "disputed");
  const good = supported === written.length && !disputed;
  return written.length > 0 && html`<span class=${good ? "verdict" : "verdict partly"}>
    <${Icon} name=${good ? "check" : "warning"} />${t.supportedOf(supported, written.length)}${disputed && ` · ${t.faults.disputed}`}
  </span>`;
}

/** @param {{turn: Turn}} props */
function AnswerFoot({ turn }) {
  const { t } = useSession();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const citations = Object.values(turn.citations).map((citation) => `[${citation.marker}] ${citation.document}, ${t.page(citation.page)}`);
    await navigator.clipboard.writeText([turn.answer?.answer, "", ...citations].join("\n"));
    setCopied(true);
  };
  return html`<footer class="answer-foot">
    <${Verdict} turn=${turn} />
    ${/* Browsers give the clipboard to secure pages only; over plain http in an intranet there is none. */
      navigator.clipboard && html`<button type="button" class="quiet small" onClick=${copy}>
        <${Icon} name=${copied ? "check" : "copy"} />${copied ? t.copied : t.copy}
      </button>`}
    <${LeftOut} removed=${turn.removed} />
    ${turn.hits.length > 0 && html`<details class="read">
      <summary>${t.passagesRead(turn.hits.length)}</summary>
      <${HitList} hits=${turn.hits} />
    </details>`}
  </footer>`;
}

/** Sentences of the model that are not shown, and why. @param {{removed: Turn["removed"]}} props */
function LeftOut({ removed }) {
  const { t } = useSession();
  return removed.length > 0 && html`<details class="read left-out">
    <summary>${t.leftOut(removed.length)}</summary>
    <ul>${removed.map((repair) => html`<li key=${repair.text}><del>${repair.text}</del>${repair.reason && ` · ${repair.reason}`}</li>`)}</ul>
  </details>`;
}

/**
 * The evidence was too weak to answer: a calm statement, and what came nearest. The answer's own text also names the
 * nearest places, which the list says better; so its reason stands alone, in the answer's language.
 * @param {{turn: Turn}} props
 */
export function Abstention({ turn }) {
  const { t } = useSession();
  const { answer, reason, nearest, asks, ...rest } = /** @type {import("./api.js").Answer} */ (turn.answer);
  const language = /** @type {import("./strings.js").Language} */ (rest.language);
  return html`<section class="abstention">
    <p class="statement" lang=${language}>${reason ? (strings[language] ?? t).cannotAnswer(reason.replace(/[.。]$/, "")) : answer}</p>
    ${asks && html`<p class="asks" lang=${language}>${asks}</p>`}
    <h3>${nearest.length ? t.nearest : t.noNearest}</h3>
    <${HitList} hits=${nearest} />
    <${LeftOut} removed=${turn.removed} />
  </section>`;
}

/** Passages, each of which can be opened on its page. @param {{hits: Hit[]}} props */
export function HitList({ hits }) {
  const { t, openReference } = useSession();
  return html`<ol class="hits">
    ${hits.map((hit) => html`<li key=${hit.chunk}>
      <button type="button" onClick=${() => openReference({ ...hit, quote: "" })}>
        <span class="hit-head"><span class="where">${hit.document}</span><span>${t.page(hit.page)}</span></span>
        ${hit.headings?.length ? html`<span class="path">${hit.headings.join(" › ")}</span>` : null}
        <span class="excerpt" lang=${languageOf(hit.text)}>${excerpt(hit.text)}</span>
        ${hit.also_in?.length ? html`<span class="path">${t.alsoIn(hit.also_in)}</span>` : null}
        ${hit.suspicious ? html`<span class="warning">${t.suspicious}</span>` : null}
      </button>
    </li>`)}
  </ol>`;
}
