/** Documents that are being added or could not be: what somebody should look after, with the reason, from whomever it came. */
import { Icon } from "./icons.js";
import { problemText, useSession } from "./session.js";
import { html, useCallback, useEffect, useState } from "./view.js";

/** @import {Job} from "./api.js" */

/** While one of them is worked on. */
const roundMs = 2000;

/**
 * @param {{own: Set<string>, stamp: unknown, onChanged: () => void}} props `own` are jobs that the list of uploads shows;
 * the list is asked for again when `stamp` changes.
 */
export function Waiting({ own, stamp, onChanged }) {
  const { api, t, me } = useSession();
  const [jobs, setJobs] = useState(/** @type {Job[]} */ ([]));
  const [problem, setProblem] = useState("");
  const load = useCallback(async () => {
    try {
      setJobs(await api.openJobs());
    } catch (error) {
      setProblem(problemText(error, t));
    }
  }, [api, t]);
  const working = jobs.some(isUnfinished);
  useEffect(() => { load(); }, [load, stamp]);
  useEffect(() => {
    if (!working) return undefined;
    const timer = setInterval(async () => { await load(); onChanged(); }, roundMs);
    return () => clearInterval(timer);
  }, [working, load]);

  /** @param {() => Promise<unknown>} action */
  const act = async (action) => {
    try {
      await action();
      setProblem("");
    } catch (error) {
      setProblem(problemText(error, t));
    }
    await load();
  };
  const shown = jobs.filter((job) => !own.has(job.job_id));
  if (!shown.length && !problem) return null;
  return html`<section class="uploads waiting">
    <h3>${t.needsAttention}</h3>
    ${problem && html`<p class="error" role="alert">${problem}</p>`}
    <ul>${shown.map((job) => html`<${WaitingRow} key=${job.job_id} job=${job} mayManage=${me.administrator}
      onRetry=${(/** @type {string} */ password) => act(() => api.retry(job.job_id, password))}
      onStop=${() => act(() => api.stop(job.job_id))} onDismiss=${() => act(() => api.dismiss(job.job_id))} />`)}</ul>
  </section>`;
}

/** @param {Job} job */
const isUnfinished = (job) => job.status === "queued" || job.status === "running";

/** Kinds of errors after which the file was kept for another try. */
const kept = new Set(["password_needed", "limit_passed", "quarantined"]);

/**
 * @param {{job: Job, mayManage: boolean, onRetry: (password: string) => void, onStop: () => void, onDismiss: () => void}} props
 */
function WaitingRow({ job, mayManage, onRetry, onStop, onDismiss }) {
  const { t } = useSession();
  const unfinished = isUnfinished(job);
  const again = !unfinished && (job.status !== "done" || kept.has(job.code ?? ""));
  const words = unfinished ? (job.stage ? t.stage[job.stage] : t.upload.running) : (t.refusal[job.code ?? ""] ?? t.upload.failed);
  return html`<li class=${`upload ${unfinished ? "running" : "failed"}`}>
    <div class="upload-head">
      <span class="where">${job.document}</span>
      <span class="upload-state" role="status">${words}</span>
      ${mayManage && html`<span class="actions">
        ${again && job.code !== "password_needed" && html`<button type="button" class="quiet small" aria-label=${t.retryOf(job.document)}
          onClick=${() => onRetry("")}>${t.retry}</button>`}
        ${unfinished
          ? html`<button type="button" class="quiet small" aria-label=${t.stopOf(job.document)} onClick=${onStop}>${t.stop}</button>`
          : html`<button type="button" class="quiet round" aria-label=${t.dismissOf(job.document)} title=${t.dismiss} onClick=${onDismiss}><${Icon} name="remove" /></button>`}
      </span>`}
    </div>
    ${job.error && html`<p class="error">${t.told(job.error)}</p>`}
    ${mayManage && again && job.code === "password_needed" && html`<${PasswordForm} document=${job.document} onPassword=${onRetry} />`}
  </li>`;
}

/** @param {{document: string, onPassword: (password: string) => void}} props */
export function PasswordForm({ document, onPassword }) {
  const { t } = useSession();
  const [password, setPassword] = useState("");
  return html`<form class="password" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    onPassword(password);
    setPassword("");
  }}>
    <input type="password" autocomplete="off" required aria-label=${t.passwordOf(document)} placeholder=${t.password} value=${password}
      onInput=${(/** @type {InputEvent} */ event) => setPassword(/** @type {HTMLInputElement} */ (event.target).value)} />
    <button type="submit" class="quiet outlined">${t.open}</button>
  </form>`;
}
