/**
 * The queue of files on their way into the knowledge base.
 *
 * Every file is a request of its own, so that one refusal never takes others with it. Files are sent two at a time, and
 * one loop asks after all running jobs. Lives as long as the page, so that closing the documents panel stops nothing.
 */

/** @import {Api, Job} from "./api.js" */

/** @typedef {{id: number, name: string, state: "waiting"|"sending"|"running"|"added"|"unchanged"|"failed", job: Job|null, error: unknown}} Upload `error` is null, or what went wrong. */

const sendersAtOnce = 2;
/** Jobs asked after in one round: a folder of hundreds of files must not become hundreds of requests a second. */
const jobsPerRound = 8;
const roundMs = 800;

export class Uploads {
  /** @type {Upload[]} */
  #uploads = [];
  /** @type {{id: number, file: File, groups: string[], password: string}[]} */
  #waiting = [];
  /** What an upload may be sent again with, when it turns out that it needs a password. @type {Map<number, {file: File, groups: string[]}>} */
  #files = new Map();
  #nextId = 1;
  #senders = 0;
  #polling = false;
  #api;
  #onChange;
  #onAdded;
  #wait;

  /**
   * @param {Pick<Api, "upload"|"job">} api
   * @param {{onChange: (uploads: Upload[]) => void, onAdded: () => void, wait?: (ms: number) => Promise<void>}} options
   */
  constructor(api, { onChange, onAdded, wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }) {
    this.#api = api;
    this.#onChange = onChange;
    this.#onAdded = onAdded;
    this.#wait = wait;
  }

  /** @param {Iterable<File>} files @param {string[]} groups */
  add(files, groups) {
    for (const file of files) {
      const id = this.#nextId++;
      this.#files.set(id, { file, groups });
      this.#waiting.push({ id, file, groups, password: "" });
      this.#uploads = [...this.#uploads, { id, name: file.name, state: "waiting", job: null, error: null }];
    }
    this.#start();
  }

  /** Sends an encrypted file again, with its password. @param {number} id @param {string} password */
  unlock(id, password) {
    const sent = this.#files.get(id);
    if (!sent) return;
    this.#waiting.push({ id, ...sent, password });
    this.#uploads = this.#uploads.map((upload) => (upload.id === id ? { ...upload, state: "waiting", job: null, error: null } : upload));
    this.#start();
  }

  #start() {
    this.#onChange(this.#uploads);
    while (this.#senders < sendersAtOnce && this.#waiting.length) this.#send();
  }

  /** Takes what has ended off the list. */
  clear() {
    for (const upload of this.#uploads) if (!isActive(upload)) this.#files.delete(upload.id);
    this.#uploads = this.#uploads.filter(isActive);
    this.#onChange(this.#uploads);
  }

  /** @param {number} id @param {Partial<Upload>} change */
  #change(id, change) {
    this.#uploads = this.#uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
    this.#onChange(this.#uploads);
  }

  async #send() {
    this.#senders += 1;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { id, file, groups, password } = next;
      this.#change(id, { state: "sending" });
      try {
        this.#change(id, { state: "running", job: await this.#api.upload(file, groups, password) });
        this.#poll();
      } catch (error) {
        this.#change(id, { state: "failed", error });
      }
    }
    this.#senders -= 1;
  }

  async #poll() {
    if (this.#polling) return;
    this.#polling = true;
    let round = 0;
    for (;;) {
      const running = this.#uploads.filter((upload) => upload.state === "running");
      if (!running.length) break;
      const start = (round++ * jobsPerRound) % running.length;
      await Promise.all(running.slice(start, start + jobsPerRound).map((upload) => this.#ask(upload)));
      await this.#wait(roundMs);
    }
    this.#polling = false;
  }

  /** @param {Upload} upload */
  async #ask({ id, job }) {
    try {
      const now = await this.#api.job(job?.job_id ?? "");
      const state = stateOf(now);
      this.#change(id, { job: now, state, error: now.error ?? null });
      if (state === "added" || state === "unchanged") this.#files.delete(id);
      if (state === "added") this.#onAdded();
    } catch (error) {
      // A server that restarts goes on with its jobs, so a missing answer ends nothing; a refusal to tell does.
      const status = /** @type {{status?: number}} */ (error).status ?? 0;
      if (status >= 400 && status < 500 && status !== 429) this.#change(id, { state: "failed", error });
    }
  }
}

/** Whether it is still on its way. @param {Upload} upload */
export const isActive = (upload) => ["waiting", "sending", "running"].includes(upload.state);

/** @param {Job} job @returns {Upload["state"]} */
function stateOf(job) {
  if (job.status === "failed" || job.status === "stopped" || job.outcome === "refused") return "failed";
  if (job.status !== "done") return "running";
  return job.outcome === "unchanged" ? "unchanged" : "added";
}
