/** A cited passage where it stands: the page's picture with the passage boxed, or its text with the passage marked where
 * there is no picture; its words, and the pages around it. */
import { savedType } from "./api.js";
import { Icon } from "./icons.js";
import { Panel } from "./panel.js";
import { problemText, useSession } from "./session.js";
import { excerpt, languageOf, unwrap } from "./text.js";
import { html, useEffect, useRef, useState } from "./view.js";

/** @import {PageText} from "./api.js" */

/**
 * A place in a document: a citation, a hit, or (without `chunk`) just a page.
 * @typedef {{document: string, document_id: string, version?: number, page: number, chunk?: string, quote?: string, text?: string, headings?: string[], support?: number}} Reference
 */

/** @param {{reference: Reference, pages?: number, onClose: () => void}} props `pages` is how many the document has, if known. */
export function CitationPanel({ reference, pages, onClose }) {
  const { t } = useSession();
  const [page, setPage] = useState(reference.page);
  useEffect(() => setPage(reference.page), [reference]);
  const atPassage = page === reference.page;
  const passage = reference.quote || reference.text;

  return html`<${Panel} title=${reference.document} onClose=${onClose}>
    <div class="pager">
      <button type="button" class="quiet round" aria-label=${t.previousPage} title=${t.previousPage} disabled=${page <= 1}
        onClick=${() => setPage(page - 1)}><${Icon} name="previous" /></button>
      <span aria-live="polite">${pages ? t.pageOf(page, pages) : t.page(page)}</span>
      <button type="button" class="quiet round" aria-label=${t.nextPage} title=${t.nextPage} disabled=${pages !== undefined && page >= pages}
        onClick=${() => setPage(page + 1)}><${Icon} name="next" /></button>
      ${!atPassage && reference.chunk && html`<button type="button" class="quiet small" onClick=${() => setPage(reference.page)}>${t.backToPassage}</button>`}
      <span class="space"></span>
      <${OriginalLink} reference=${reference} page=${page} />
    </div>
    ${passage && html`<figure class="quote">
      <figcaption>
        <span>${reference.quote ? t.source : t.passage}</span>
        ${reference.headings?.length ? html`<span class="path">${reference.headings.join(" › ")}</span>` : null}
        ${reference.support !== undefined && html`<span class="support" title=${t.supportHint}>${t.support(Math.round(reference.support * 100))}</span>`}
      </figcaption>
      <blockquote lang=${languageOf(passage)}>${reference.quote ? unwrap(passage) : excerpt(passage)}</blockquote>
    </figure>`}
    <${PageView} reference=${reference} page=${page} boxed=${atPassage && Boolean(reference.chunk)} />
  <//>`;
}

/** @param {{reference: Reference, page: number, boxed: boolean}} props */
function PageView({ reference, page, boxed }) {
  const { api, t } = useSession();
  const [state, setState] = useState(/** @type {"loading"|"shown"|"failed"} */ ("loading"));
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  // What is shown, which for a moment is not yet the page asked for: its name must not run ahead of its picture.
  const [shown, setShown] = useState(/** @type {(PageText & {boxed: boolean})|null} */ (null));
  const [large, setLarge] = useState(false);
  const canvas = useRef(/** @type {HTMLCanvasElement|null} */ (null));
  const { document_id: documentId, version, chunk, quote } = reference;

  useEffect(() => {
    const abort = new AbortController();
    const cited = { documentId, version, page, ...(boxed ? { chunk, quote } : {}), signal: abort.signal };
    setState("loading");
    (async () => {
      try {
        const read = await api.pageText(cited);
        if (read.picture) {
          // A canvas rather than an <img>: a request that carries a key gives a blob, and showing a blob's address would
          // take a hole in the content security policy.
          const bitmap = await createImageBitmap(await api.pageImage(cited));
          if (!canvas.current || abort.signal.aborted) return;
          canvas.current.width = bitmap.width;
          canvas.current.height = bitmap.height;
          canvas.current.getContext("2d")?.drawImage(bitmap, 0, 0);
          bitmap.close();
        }
        setShown({ ...read, boxed });
        setState("shown");
      } catch (error) {
        if (abort.signal.aborted) return;
        setProblem(error);
        setShown(null);
        setState("failed");
      }
    })();
    return () => abort.abort();
  }, [api, documentId, version, page, boxed, chunk, quote]);

  const label = shown?.picture ? (shown.boxed ? t.pageImageBoxed : t.pageImage)(shown.page, shown.document) : "";
  const zoom = large ? t.zoomOut : t.zoomIn;
  return html`<div class="sheet" data-state=${state} aria-busy=${state === "loading"}>
    ${state === "loading" && !shown && html`<p class="fine" role="status">${t.pageLoading}</p>`}
    ${state === "failed" && html`<p class="error" role="alert">${problemText(problem, t)}</p>`}
    ${shown?.picture === false && html`<${MarkedText} page=${shown} />`}
    <div class=${large ? "sheet-view large" : "sheet-view"} tabindex=${large ? 0 : -1} hidden=${shown?.picture === false}>
      <canvas ref=${canvas} role="img" aria-label=${label} hidden=${!shown}></canvas>
    </div>
    ${shown?.picture && html`<button type="button" class="zoom quiet round" aria-label=${zoom} title=${zoom} onClick=${() => setLarge(!large)}>
      <${Icon} name=${large ? "zoomOut" : "zoomIn"} />
    </button>`}
    ${shown !== null && shown.hidden > 0 && html`<p class="fine">${t.hiddenText(shown.hidden)}</p>`}
  </div>`;
}

/** A page's own text with the cited passage marked and in view. @param {{page: PageText}} props */
function MarkedText({ page }) {
  const { t } = useSession();
  const mark = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => mark.current?.scrollIntoView({ block: "nearest" }), [page]);
  const [[start, end] = [0, 0]] = page.marks;
  const characters = [...page.text]; // the server counts code points
  const part = (/** @type {number} */ from, /** @type {number} */ to) => characters.slice(from, to).join("");
  return html`<div class="sheet-text" role="region" tabindex="0" aria-label=${t.pageText(page.page, page.document)}
    lang=${languageOf(page.text)}>${part(0, start)}${end > start && html`<mark ref=${mark}>${part(start, end)}</mark>`}${part(end, characters.length)}</div>`;
}

/** @param {{reference: Reference, page: number}} props */
function OriginalLink({ reference, page }) {
  const { api, t } = useSession();
  const [problem, setProblem] = useState("");
  /** @param {MouseEvent} event */
  const open = async (event) => {
    if (!api.hasKey()) return; // a plain link will do
    event.preventDefault();
    // The tab is opened at once, while the click still counts as the reader's wish, and filled when the file is here.
    const tab = window.open("", "_blank");
    try {
      const file = await api.file(reference.document_id, reference.version);
      const address = URL.createObjectURL(file);
      if (file.type === savedType) {
        tab?.close();
        const link = Object.assign(document.createElement("a"), { href: address, download: reference.document.split("/").at(-1) });
        link.click();
      } else if (tab) tab.location.href = `${address}#page=${page}`;
      setTimeout(() => URL.revokeObjectURL(address), 60_000); // the tab has read it by then
    } catch (error) {
      tab?.close();
      setProblem(problemText(error, t));
    }
  };
  return html`<a class="quiet small" href=${api.fileAddress(reference.document_id, page, reference.version)} target="_blank" rel="noopener" onClick=${open}>
    <${Icon} name="open" />${t.openOriginal}
  </a>${problem && html`<p class="error" role="alert">${problem}</p>`}`;
}
