/**
 * The client of Graft's public HTTP API: one function per endpoint, problems as `Problem` errors.
 *
 * The access key lives in sessionStorage, so it goes when the tab does. Addresses are relative to the page, so that the
 * page also works below a path of a reverse proxy. Knows nothing of the page.
 */
import { readEvents } from "./sse.js";

/** @typedef {{document: string, document_id: string, version: number, page: number, chunk: string, score: number, text: string, headings?: string[], also_in?: {document: string, page: number}[], suspicious?: boolean}} Hit */
/** @typedef {{marker: number, document: string, document_id: string, version: number, page: number, chunk: string, quote: string, bbox: number[][]}} Citation */
/** @typedef {"contradicted"|"not in evidence"|"off question"|"disputed"|"biased"} Fault */
/** @typedef {{text: string, action: "regenerated"|"quoted"|"removed", reason: string, fault: Fault|null}} Repair what was done with a sentence of the model */
/** @typedef {{text: string, style: "generated"|"quotes", support: number, supported: boolean, citations: number[], reason: string, fault: Fault|null, judged: boolean, replaces: Repair|null}} Sentence */
/** @typedef {{answer: string, language: string, style: "generated"|"quotes"|"mixed", abstained: boolean, reason: string|null, nearest: Hit[], citations: Citation[], sentences: Sentence[], usage: {prompt_tokens?: number, completion_tokens?: number}, timings_ms: Record<string, number>, removed: Repair[], asks: string|null}} Answer */
/** @typedef {{document: string, document_id: string, version: number, pages: number, groups: string[], added_at: string, bytes: number, warnings: string[]}} StoredDocument */
/** @typedef {{job_id: string, document: string, document_id?: string, status: "queued"|"running"|"done"|"failed"|"stopped", code?: string|null, outcome?: "added"|"unchanged"|"reread"|"refused"|null, stage?: "read"|"split"|"embed"|"index"|"publish"|null, pages_done?: number, pages_total?: number|null, warnings?: string[], error?: string|null}} Job */
/** @typedef {{version: number, live: boolean, pages: number, bytes: number, added_at: string, warnings: string[]}} Version */
/** @typedef {{document: string, document_id: string, page: number, text: string, marks: [number, number][], picture: boolean, hidden: number}} PageText */
/** @typedef {{groups: string[], administrator: boolean, key_required: boolean}} Me */
/** @typedef {{version: string, profile: string, engine: {state: "off"|"starting"|"ready"|"failed", detail: string, model: string}, documents: number, chunks: number, note: {zh: string, en: string}|null}} Status */
/** @typedef {"auto"|"generated"|"quotes"} Style */
/** @typedef {"base"|"rag"|"tuned"|"tuned-rag"} Arm */
/** @typedef {{role: "user"|"assistant", content: string}} Message */
/** @typedef {ReturnType<typeof createApi>} Api */

const keyName = "graft.key";
/** What a browser shows without running anything that is in it. */
const shownTypes = new Set(["application/pdf", "image/png", "image/jpeg", "image/webp"]);

/** What the server (or the way to it) said no with. `status` is 0 when no answer came at all. */
export class Problem extends Error {
  /** @param {{status?: number, title?: string, detail?: string}} problem */
  constructor({ status = 0, title = "", detail = "" }) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
  }
}

/** @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => ({})); // a proxy's HTML page has no detail to show
  return new Problem({
    status: response.status,
    title: body.title ?? `${response.status} ${response.statusText}`.trim(),
    detail: body.detail ?? body.error?.message,
  });
}

/** A name for one upload, so that a repeated request adds nothing twice. randomUUID would need https. */
function uploadKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The type of a file that is saved rather than shown. */
export const savedType = "application/octet-stream";

/** @param {{version?: number, chunk?: string, quote?: string}} cited */
function citedQuery({ version, chunk, quote }) {
  const query = new URLSearchParams();
  if (chunk) query.set("chunk", chunk);
  if (quote) query.set("quote", quote);
  if (version !== undefined) query.set("version", String(version));
  return query;
}

/** @param {{onKeyNeeded: () => void}} options `onKeyNeeded` is called whenever the server answers 401. */
export function createApi({ onKeyNeeded }) {
  /** @param {string} path @param {RequestInit & {json?: unknown}} [options] */
  async function request(path, { json, headers, ...options } = {}) {
    const key = sessionStorage.getItem(keyName);
    /** @type {Response} */
    let response;
    try {
      response = await fetch(new URL(`api/${path}`, document.baseURI), {
        ...options,
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        headers: {
          ...headers,
          ...(json === undefined ? {} : { "Content-Type": "application/json" }),
          ...(key ? { Authorization: `Bearer ${key}` } : {}),
        },
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Problem({ title: String(error) });
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status === 401) onKeyNeeded();
    throw problem;
  }
  /** @param {string} path @param {RequestInit & {json?: unknown}} [options] */
  const requestJson = async (path, options) => (await request(path, options)).json();
  /** The events of a response, with their data parsed. @param {string} path @param {unknown} json @param {AbortSignal} signal */
  async function* events(path, json, signal) {
    const response = await request(path, { method: "POST", json, signal });
    if (!response.body) throw new Problem({ title: "the answer has no body" });
    for await (const { event, data } of readEvents(response.body)) yield { event, data: JSON.parse(data) };
  }
  /** @param {string} id */
  const documentPath = (id) => `documents/${encodeURIComponent(id)}`;

  return {
    /** Whether requests carry a key; then images and files cannot be plain links. */
    hasKey: () => sessionStorage.getItem(keyName) !== null,
    /** @param {string} key */
    keepKey: (key) => sessionStorage.setItem(keyName, key),
    forgetKey: () => sessionStorage.removeItem(keyName),

    /** @returns {Promise<Me>} */
    me: () => requestJson("me"),
    /** @returns {Promise<Status>} */
    status: () => requestJson("status"),
    /** @returns {Promise<StoredDocument[]>} */
    documents: async () => (await requestJson("documents")).documents,
    /** @returns {Promise<string[]>} */
    groups: async () => (await requestJson("groups")).groups,
    /** @param {string} id @returns {Promise<Job>} */
    job: (id) => requestJson(`jobs/${encodeURIComponent(id)}`),
    /** The adding of documents that goes on, or that somebody should look after. @returns {Promise<Job[]>} */
    openJobs: async () => (await requestJson("jobs?open=true")).jobs.filter((/** @type {Job} */ job) => job.document !== undefined),
    /** @param {string} id @param {string} password */
    retry(id, password) {
      const form = new FormData();
      form.append("password", password);
      return requestJson(`jobs/${encodeURIComponent(id)}/retry`, { method: "POST", body: form });
    },
    /** @param {string} id */
    stop: (id) => requestJson(`jobs/${encodeURIComponent(id)}/stop`, { method: "POST" }),
    /** @param {string} id */
    dismiss: (id) => request(`jobs/${encodeURIComponent(id)}`, { method: "DELETE" }),
    /** @param {File} file @param {string[]} groups @param {string} [password] @returns {Promise<Job>} */
    async upload(file, groups, password = "") {
      const form = new FormData();
      form.append("files", file, file.name);
      if (password) form.append("password", password);
      for (const group of groups) form.append("group", group);
      const { jobs } = await requestJson("documents", { method: "POST", body: form, headers: { "Idempotency-Key": uploadKey() } });
      return jobs[0];
    },
    /** @param {string} id */
    remove: (id) => request(documentPath(id), { method: "DELETE" }),
    /** @param {string} id @param {string[]} groups */
    setGroups: (id, groups) => request(`${documentPath(id)}/groups`, { method: "PUT", json: { groups } }),
    /** @param {string} id @returns {Promise<Version[]>} */
    versions: async (id) => (await requestJson(`${documentPath(id)}/versions`)).versions,
    /** Address of the original, a PDF opened at a page. @param {string} id @param {number} [page] @param {number} [version] */
    fileAddress: (id, page, version) =>
      new URL(`api/${documentPath(id)}/file${version ? `?version=${version}` : ""}${page ? `#page=${page}` : ""}`, document.baseURI).href,
    /**
     * The original. What the server would not show in place is typed as plain bytes, so that a blob address can never open
     * as a page that runs scripts. @param {string} id @param {number} [version]
     */
    async file(id, version) {
      const response = await request(`${documentPath(id)}/file${version ? `?version=${version}` : ""}`);
      const type = response.headers.get("Content-Type") ?? "";
      return new Blob([await response.arrayBuffer()], { type: shownTypes.has(type) ? type : savedType });
    },
    /**
     * The picture of a page, with the passage boxed where one is named.
     * @param {{documentId: string, version?: number, page: number, chunk?: string, quote?: string, signal?: AbortSignal}} page
     */
    pageImage: async ({ documentId, page, signal, ...cited }) =>
      (await request(`${documentPath(documentId)}/pages/${page}.png?${citedQuery(cited)}`, { signal })).blob(),
    /**
     * The text of a page, with the spans of the passage in it, counted in code points.
     * @param {{documentId: string, version?: number, page: number, chunk?: string, quote?: string, signal?: AbortSignal}} page
     * @returns {Promise<PageText>}
     */
    pageText: ({ documentId, page, signal, ...cited }) =>
      requestJson(`${documentPath(documentId)}/pages/${page}?${citedQuery(cited)}`, { signal }),
    /**
     * The events of one answer, as `{event, data}` with `data` parsed. Aborting the signal makes the server stop.
     * @param {{question: string, style: Style, history: Message[], signal: AbortSignal}} ask
     */
    ask: ({ question, style, history, signal }) => events("ask", { question, arm: "rag", style, history }, signal),
    /**
     * The events of several arms' answers; each but the last names its arm. Aborting the signal makes the server stop them all.
     * @param {{question: string, arms: Arm[], signal: AbortSignal}} compare
     */
    compare: ({ question, arms, signal }) => events("compare", { question, arms }, signal),
  };
}
