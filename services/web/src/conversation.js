/**
 * What a turn of the conversation looks like after each event of its answer: pure functions, no page, no network.
 *
 * Two texts grow side by side. The model's raw text is provisional; a judged sentence takes the place of its part of it.
 * `done` carries the whole answer and has the last word. A turn that ends without it shows its judged sentences only:
 * what was not judged is not kept on the page.
 */

/** @import {Answer, Citation, Hit, Message, Problem, Repair, Sentence, Style} from "./api.js" */

/** @typedef {"searching"|"writing"|"done"|"stopped"|"failed"} Phase */
/**
 * @typedef {object} Turn
 * @property {number} id
 * @property {string} question
 * @property {Style} style what was asked for
 * @property {Phase} phase
 * @property {Hit[]} hits the passages that were read for the answer
 * @property {string} raw the model's text so far
 * @property {number} judged how much of `raw` the judged sentences stand for
 * @property {(Sentence & {index: number})[]} sentences
 * @property {{text: string, reason: string}|null} doubt a sentence of the model that is being written once more
 * @property {Repair[]} removed sentences of the model that are left out
 * @property {Record<number, Citation>} citations by marker
 * @property {Answer|null} answer
 * @property {string} problem why it failed
 */

/** Turns sent along as history: enough to tell what a follow-up question refers to. */
const historyTurns = 4;

/** @param {number} id @param {string} question @param {Style} style @returns {Turn} */
export function startTurn(id, question, style) {
  return { id, question, style, phase: "searching", hits: [], raw: "", judged: 0, sentences: [], doubt: null, removed: [], citations: {}, answer: null, problem: "" };
}

/** Whether an answer is still coming. @param {Turn} turn */
export const isOpen = (turn) => turn.phase === "searching" || turn.phase === "writing";

/** The turn after an event; events that a newer server may add are ignored. @param {Turn} turn @param {{event: string, data: any}} event @returns {Turn} */
export function applyEvent(turn, { event, data }) {
  switch (event) {
    case "sources":
      return { ...turn, hits: data.hits };
    case "token":
      return { ...turn, phase: "writing", raw: turn.raw + data.text };
    case "doubt":
      return { ...turn, doubt: data, judged: endOfSentence(turn.raw, turn.judged, data.text) };
    case "removed":
      return applyRemoved(turn, data);
    case "sentence":
      return applySentence(turn, data);
    case "done":
      return applyAnswer(turn, data);
    case "error":
      return failTurn(turn, data.detail || data.title);
    default:
      return turn;
  }
}

/** @param {Turn} turn @param {any} data @returns {Turn} */
function applySentence(turn, { index, text, style, support, supported, reason, fault, judged, citations, replaces }) {
  const sentence = {
    index, text, style, support, supported, reason, fault, judged, replaces,
    citations: citations.map((/** @type {Citation} */ citation) => citation.marker),
  };
  // What stands for a part of the model's raw text: its own sentence, or the one that takes that one's place.
  const written = replaces?.text ?? (style === "generated" ? text : null);
  return {
    ...afterRepair(turn, written),
    phase: "writing",
    sentences: [...turn.sentences, sentence],
    citations: { ...turn.citations, ...byMarker(citations) },
  };
}

/** @param {Turn} turn @param {Repair} repair @returns {Turn} */
function applyRemoved(turn, repair) {
  return { ...afterRepair(turn, repair.text), removed: [...turn.removed, repair] };
}

/** The turn once a sentence of the model is settled; one that was in doubt is past already. @param {Turn} turn @param {string|null} written @returns {Turn} */
function afterRepair(turn, written) {
  const judged = written === null || turn.doubt ? turn.judged : endOfSentence(turn.raw, turn.judged, written);
  return { ...turn, doubt: null, judged };
}

/** @param {Turn} turn @param {Answer} answer @returns {Turn} */
function applyAnswer(turn, answer) {
  return {
    ...turn,
    phase: "done",
    answer,
    doubt: null,
    sentences: answer.sentences.map((sentence, index) => ({ ...sentence, index })),
    removed: answer.removed,
    citations: byMarker(answer.citations),
  };
}

/** @param {Turn} turn @returns {Turn} */
export function stopTurn(turn) {
  return isOpen(turn) ? { ...turn, phase: "stopped", doubt: null } : turn;
}

/** @param {Turn} turn @param {string} problem @returns {Turn} */
export function failTurn(turn, problem) {
  return isOpen(turn) ? { ...turn, phase: "failed", doubt: null, problem } : turn;
}

/** The model's text that no verdict has been given on yet; nothing once the answer has ended. @param {Turn} turn */
export function provisionalText(turn) {
  return isOpen(turn) ? turn.raw.slice(turn.judged) : "";
}

/** The last finished turns as the API's history. @param {Turn[]} turns @returns {Message[]} */
export function historyOf(turns) {
  return turns
    .filter((turn) => turn.answer)
    .slice(-historyTurns)
    .flatMap((turn) => [
      { role: /** @type {const} */ ("user"), content: turn.question },
      { role: /** @type {const} */ ("assistant"), content: turn.answer?.answer ?? "" },
    ]);
}

/** @param {Citation[]} citations */
function byMarker(citations) {
  return Object.fromEntries(citations.map((citation) => [citation.marker, citation]));
}

/**
 * Where a judged sentence ends in the model's raw text. White space and markers are left out of the comparison, because
 * the server may set them anew; if the sentence cannot be found, the next sentence end of the raw text is taken.
 * @param {string} raw @param {number} from @param {string} text
 */
export function endOfSentence(raw, from, text) {
  const wanted = text.replace(/\[\d+\]|\s/g, "");
  const rest = raw.slice(from);
  let bare = "";
  /** @type {number[]} */
  const ends = [];
  for (const { 0: piece, index } of rest.matchAll(/\[\d+\]|\s|[^]/g)) {
    if (piece.length > 1 || /\s/.test(piece)) continue;
    bare += piece;
    ends.push(index + 1);
  }
  const found = wanted ? bare.indexOf(wanted) : -1;
  const end = found >= 0 ? ends[found + wanted.length - 1] : (/[.!?]+(?=\s|\[|$)|[。！？]+|\n/.exec(rest)?.index ?? rest.length - 1) + 1;
  // Markers after the full stop belong to the sentence that they follow.
  return from + end + (/^(\s*\[\d+\])*/.exec(rest.slice(end))?.[0].length ?? 0);
}

/**
 * The markers of the citations that each quoted sentence shows, by its index: its own, and the other side of a dispute where no
 * other sentence quotes that. No passage is shown twice.
 * @param {Turn["sentences"]} sentences
 * @returns {Map<number, number[]>}
 */
export function shownQuotes(sentences) {
  const quoted = sentences.filter((sentence) => sentence.style === "quotes");
  const own = new Set(quoted.map((sentence) => sentence.citations[0]));
  const shown = new Set();
  const found = new Map();
  for (const { index, citations } of quoted) {
    const markers = citations.filter((marker, place) => !shown.has(marker) && (place === 0 || !own.has(marker)));
    markers.forEach((marker) => shown.add(marker));
    found.set(index, markers);
  }
  return found;
}

/** Whether an earlier sentence of the answer gave the same reason. @param {Turn["sentences"]} sentences @param {Turn["sentences"][number]} sentence */
export function isSaidBefore(sentences, { index, reason }) {
  return sentences.some((earlier) => earlier.index < index && earlier.reason === reason);
}
