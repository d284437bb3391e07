/** Small questions about pieces of text: which script, how to join, how to show a passage that was printed on lines. */

const han = /[\u3400-\u9fff\uf900-\ufaff]/;
const wide = /[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\u2018-\u201d]/;

/** The language tag to mark a text with, by its script. Any Chinese character decides: names in Latin letters are common in Chinese. @param {string} text */
export function languageOf(text) {
  return han.test(text) ? "zh" : "en";
}

/** The space that belongs between two sentences: none beside Chinese. @param {string} before @param {string} after */
export function spaceBetween(before, after) {
  return wide.test(before.slice(-1)) || wide.test(after.slice(0, 1)) ? "" : " ";
}

/** A passage without the line ends of its printed page: a space for them, or nothing between Chinese characters. @param {string} text */
export function unwrap(text) {
  return text.trim().replace(/\s*\n\s*/g, (_, at, whole) => {
    const end = whole.slice(at).search(/\S/) + at;
    return wide.test(whole[at - 1] ?? "") && wide.test(whole[end] ?? "") ? "" : " ";
  });
}

/** A passage for a list: as `unwrap` gives it, its table's rows parted and without the row of dashes. @param {string} text */
export function excerpt(text) {
  return unwrap(text.replace(/\n[ |:-]*---[ |:-]*(?=\n|$)/g, "").replace(/( \| .*)\n(?=.* \| )/g, "$1; "));
}

/** A mark with its reason; the mark alone where there is none, the reason alone where that says the mark itself. @param {string} mark @param {string} reason */
export function marked(mark, reason) {
  if (!reason) return mark;
  return /^(?:not judged|the documents disagree|未核查|文档说法不一)[:：]/.test(reason) ? reason : `${mark} · ${reason}`;
}

/**
 * A sentence cut at its citation markers: texts, and numbers for those markers that the sentence cites. Cited markers that
 * do not stand in the text come last, so that every citation can be opened.
 * @param {string} text @param {number[]} markers
 * @returns {(string|number)[]}
 */
export function splitAtMarkers(text, markers) {
  const missing = new Set(markers);
  const parts = [];
  for (const part of text.split(/(\s*\[\d+\])/)) {
    const marker = Number(/^\s*\[(\d+)\]$/.exec(part)?.[1] ?? NaN);
    if (markers.includes(marker)) {
      missing.delete(marker);
      parts.push(marker);
    } else if (part) parts.push(part);
  }
  return [...parts, ...missing];
}

const closing = /^[.,;:!?)。，、；：！？）”》]+/;

/**
 * The parts of a sentence, where a list is what no line may divide: markers with the character before them and the
 * punctuation behind them. Browsers break lines beside a button whatever characters stand there.
 * @param {(string|number)[]} parts
 * @returns {(string|(string|number)[])[]}
 */
export function keptTogether(parts) {
  /** @type {(string|(string|number)[])[]} */
  const runs = [];
  let run = /** @type {(string|number)[]|null} */ (null);
  const keep = (/** @type {string|number} */ part) => {
    if (run) run.push(part);
    else runs.push((run = [part]));
  };
  parts.forEach((part, i) => {
    if (typeof part === "number") return keep(part);
    const behind = (run && closing.exec(part)?.[0]) ?? "";
    const rest = part.slice(behind.length);
    const before = typeof parts[i + 1] === "number" ? (/.$/su.exec(rest)?.[0] ?? "") : "";
    if (behind) keep(behind);
    if (!rest) return;
    run = null;
    if (rest !== before) runs.push(rest.slice(0, rest.length - before.length));
    if (before) keep(before);
  });
  return runs;
}
