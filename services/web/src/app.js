/** The whole page: who is asking, in which language, and which panel stands beside the conversation. */
import { createApi } from "./api.js";
import { Chat } from "./chat.js";
import { CitationPanel } from "./citation.js";
import { Compare } from "./compare.js";
import { DocumentsPanel } from "./documents.js";
import { Icon, Mark } from "./icons.js";
import { KeyPrompt } from "./key.js";
import { problemText, SessionContext } from "./session.js";
import { initialLanguage, strings } from "./strings.js";
import { Uploads } from "./uploads.js";
import { html, useCallback, useEffect, useMemo, useRef, useState } from "./view.js";

/** @import {Me, Status, StoredDocument} from "./api.js" */
/** @import {Reference} from "./citation.js" */
/** @import {Upload} from "./uploads.js" */

/** While the engine starts its state changes soon; afterwards seldom. */
const statusMs = { starting: 3000, otherwise: 20000 };
/** Below this width the panel covers the conversation. The style sheet says the same. */
const narrow = "(max-width: 60rem)";

const views = /** @type {const} */ ([{ name: "ask", icon: "chat" }, { name: "compare", icon: "compare" }]);

export function App() {
  const [language, setLanguage] = useState(initialLanguage);
  const [me, setMe] = useState(/** @type {Me|null} */ (null));
  const [keyNeeded, setKeyNeeded] = useState(false);
  const [problem, setProblem] = useState(/** @type {unknown} */ (null));
  const [status, setStatus] = useState(/** @type {Status|null} */ (null));
  const [documents, setDocuments] = useState(/** @type {StoredDocument[]|null} */ (null));
  const [uploads, setUploads] = useState(/** @type {Upload[]} */ ([]));
  const [panel, setPanel] = useState(/** @type {null | {kind: "documents"} | {kind: "citation", reference: Reference}} */ (null));
  const [chatNumber, setChatNumber] = useState(0);
  const [view, setView] = useState(/** @type {"ask"|"compare"} */ ("ask"));
  const [compareSeen, setCompareSeen] = useState(false);
  const [dragging, setDragging] = useState(false);
  const covers = useMedia(narrow) && panel !== null;
  const opener = useRef(/** @type {HTMLElement|null} */ (null));
  const t = strings[language];

  const api = useMemo(() => createApi({ onKeyNeeded: () => { setMe(null); setKeyNeeded(true); } }), []);

  const enter = useCallback(async () => {
    try {
      setMe(await api.me());
      setKeyNeeded(false);
      setProblem(null);
    } catch (error) {
      setProblem(error);
    }
  }, [api]);
  const refresh = useCallback(async () => {
    try {
      const [now, list] = await Promise.all([api.status(), api.documents()]);
      setStatus(now);
      setDocuments(list);
      setProblem(null);
    } catch (error) {
      setProblem(error);
    }
  }, [api]);
  const queue = useMemo(() => new Uploads(api, { onChange: setUploads, onAdded: refresh }), [api, refresh]);

  useEffect(() => { enter(); }, [enter]);
  useEffect(() => { if (me) refresh(); }, [me, refresh]);
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = t.title;
  }, [language, t]);

  const state = status?.engine.state;
  useEffect(() => {
    if (!me) return undefined;
    const timer = setInterval(async () => {
      if (document.hidden) return;
      try {
        setStatus(await api.status());
        setProblem(null);
      } catch (error) {
        setProblem(error);
      }
    }, state === "starting" ? statusMs.starting : statusMs.otherwise);
    return () => clearInterval(timer);
  }, [api, me, state]);

  /** Remembers what opened a panel, so that the focus can go back there. @param {Exclude<typeof panel, null>} next */
  const openPanel = (next) => {
    const active = /** @type {HTMLElement} */ (document.activeElement);
    if (!active?.closest(".panel")) opener.current = active;
    setPanel(next);
  };
  const closePanel = () => {
    setPanel(null);
    // After the panel is gone and the conversation is no longer inert.
    setTimeout(() => opener.current?.isConnected && opener.current.focus());
  };

  const switchLanguage = () => {
    const next = language === "zh" ? "en" : "zh";
    localStorage.setItem("graft.language", next);
    setLanguage(next);
  };
  const forgetKey = () => {
    api.forgetKey();
    location.reload(); // nothing that was read with the key may stay on the page
  };

  const dropTarget = me ? dropHandlers(setDragging, (files) => {
    queue.add(files, []);
    openPanel({ kind: "documents" });
  }) : {};

  const session = useMemo(() => ({
    api, t, language, me,
    openReference: (/** @type {Reference} */ reference) => openPanel({ kind: "citation", reference }),
  }), [api, t, language, me]);

  /** Both views stay as they are while the other is shown. @param {"ask"|"compare"} next */
  const show = (next) => {
    setView(next);
    if (next === "compare") setCompareSeen(true);
  };
  const toggleDocuments = () => (panel?.kind === "documents" ? closePanel() : openPanel({ kind: "documents" }));

  return html`<${SessionContext.Provider} value=${session}>
    <div class="frame" ...${dropTarget}>
      <header class="bar" inert=${covers}>
        <div class="brand"><${Mark} /><span class="word">Graft</span></div>
        ${me && html`<nav class="views" aria-label=${t.views}>
          ${views.map(({ name, icon }) => html`<button key=${name} type="button" class="quiet" aria-current=${view === name ? "page" : undefined}
            onClick=${() => show(name)}><${Icon} name=${icon} /><span class="word">${t[name]}</span></button>`)}
        </nav>`}
        <span class="space"></span>
        <nav>
          ${me && html`
            ${view === "ask" && html`<button type="button" class="quiet" onClick=${() => setChatNumber(chatNumber + 1)}>
              <${Icon} name="plus" /><span class="word">${t.newChat}</span>
            </button>`}
            <button type="button" class="quiet" aria-expanded=${panel?.kind === "documents"} onClick=${toggleDocuments}>
              <${Icon} name="documents" /><span class="word">${t.documents}</span>
              ${documents && html`<span class="count">${documents.length}</span>`}
            </button>`}
          ${me && api.hasKey() && html`<button type="button" class="quiet" onClick=${forgetKey}>${t.forgetKey}</button>`}
          <button type="button" class="quiet" lang=${language === "zh" ? "en" : "zh-CN"} title=${t.switchLanguage} onClick=${switchLanguage}>
            ${t.otherLanguage}
          </button>
        </nav>
      </header>
      ${problem && !keyNeeded && html`<div class="problem" role="alert">
        <span>${problemText(problem, t)}</span>
        <button type="button" class="quiet" onClick=${me ? refresh : enter}>${t.retry}</button>
      </div>`}
      ${keyNeeded && html`<${KeyPrompt} said=${problem ? problemText(problem, t) : ""} onKey=${async (/** @type {string} */ key) => {
        api.keepKey(key);
        try {
          setMe(await api.me());
        } catch (error) {
          api.forgetKey();
          throw error;
        }
        setKeyNeeded(false);
        setProblem(null);
      }} />`}
      ${me && html`<div class="stage" data-panel=${panel ? panel.kind : "none"}>
        <${Chat} key=${chatNumber} inert=${covers} hidden=${view !== "ask"} status=${status} documents=${documents}
          onAddDocuments=${() => openPanel({ kind: "documents" })} />
        ${compareSeen && html`<${Compare} inert=${covers} hidden=${view !== "compare"} />`}
        ${panel?.kind === "documents" && html`<${DocumentsPanel} documents=${documents} uploads=${uploads} queue=${queue}
          onChanged=${refresh} onClose=${closePanel} />`}
        ${panel?.kind === "citation" && html`<${CitationPanel} reference=${panel.reference}
          pages=${documents?.find((item) => item.document_id === panel.reference.document_id)?.pages} onClose=${closePanel} />`}
      </div>`}
      ${dragging && html`<div class="drop-veil" aria-hidden="true"><${Icon} name="upload" />${t.dropAnywhere}</div>`}
    </div>
  <//>`;
}

/** Whether a media query holds, now and later. @param {string} query */
function useMedia(query) {
  const media = useMemo(() => matchMedia(query), [query]);
  const [holds, setHolds] = useState(media.matches);
  useEffect(() => {
    const listen = () => setHolds(media.matches);
    media.addEventListener("change", listen);
    return () => media.removeEventListener("change", listen);
  }, [media]);
  return holds;
}

/**
 * Handlers that let files be dropped anywhere on the page.
 * @param {(dragging: boolean) => void} setDragging @param {(files: File[]) => void} onFiles
 */
function dropHandlers(setDragging, onFiles) {
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  return {
    onDragOver: (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event)) return;
      event.preventDefault(); // or the browser would leave the page to open the file
      setDragging(true);
    },
    onDragLeave: (/** @type {DragEvent} */ event) => {
      // Moving between elements inside the page also fires; only leaving the window has nothing to go to.
      if (!event.relatedTarget) setDragging(false);
    },
    onDrop: (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDragging(false);
      onFiles([...(event.dataTransfer?.files ?? [])]);
    },
  };
}
