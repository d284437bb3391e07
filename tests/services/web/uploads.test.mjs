/** The upload queue, with an API that answers at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Uploads } from "../../../services/web/src/uploads.js";

/** Runs a queue until nothing changes any more; `job` answers every question after a job. */
async function run(names, { upload = (file) => ({ job_id: file.name, status: "queued" }), job }) {
  let state = [];
  let added = 0;
  let sending = 0;
  const most = { sending: 0 };
  const api = {
    async upload(file) {
      most.sending = Math.max(most.sending, ++sending);
      await new Promise((resolve) => setTimeout(resolve, 1));
      sending -= 1;
      return upload(file);
    },
    job: async (id) => job(id),
  };
  const queue = new Uploads(api, { onChange: (now) => { state = now; }, onAdded: () => { added += 1; }, wait: () => new Promise((resolve) => setTimeout(resolve)) });
  queue.add(names.map((name) => ({ name })), []);
  for (let i = 0; i < 500 && state.some((item) => ["waiting", "sending", "running"].includes(item.state)); i++) await new Promise((resolve) => setTimeout(resolve, 2));
  return { state, added, most, queue, current: () => state };
}

test("many files all arrive, two at a time", async () => {
  const names = [...Array(20)].map((_, n) => `${n}.pdf`);
  const { state, added, most } = await run(names, { job: () => ({ status: "done", outcome: "added" }) });
  assert.deepEqual(state.map((item) => item.state), names.map(() => "added"));
  assert.equal(added, 20);
  assert.equal(most.sending, 2);
});

test("a refused file says why and takes no other with it", async () => {
  const { state } = await run(["a.pdf", "b.txt", "c.pdf"], {
    upload(file) {
      if (file.name === "b.txt") throw new Error("b.txt is not a PDF");
      return { job_id: file.name };
    },
    job: (id) => (id === "c.pdf" ? { status: "done", outcome: "refused", error: "c.pdf is encrypted" } : { status: "done", outcome: "unchanged" }),
  });
  assert.deepEqual(state.map(({ state: now, error }) => [now, error]), [["unchanged", null], ["failed", new Error("b.txt is not a PDF")], ["failed", "c.pdf is encrypted"]]);
});

test("a server that is away for a moment fails nothing; a job that it does not know does", async () => {
  let times = 0;
  const { state } = await run(["a.pdf", "b.pdf"], {
    job(id) {
      if (id === "b.pdf") throw Object.assign(new Error("no such job"), { status: 404 });
      if (times++ < 3) throw Object.assign(new Error("unreachable"), { status: 0 });
      return { status: "done", outcome: "added" };
    },
  });
  assert.deepEqual(state.map((item) => item.state), ["added", "failed"]);
});

test("clearing keeps what is still on its way", async () => {
  const { queue, current } = await run(["a.pdf"], { job: () => ({ status: "done", outcome: "added" }) });
  queue.clear();
  assert.deepEqual(current(), []);
});
