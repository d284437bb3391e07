/** The columns of a comparison after each event. */
import assert from "node:assert/strict";
import test from "node:test";
import { applyCompared, arms, failComparison, isComparing, startComparison, stopComparison } from "../../../services/web/src/comparison.js";

const hits = [{ document: "a.pdf", document_id: "d1", version: 1, page: 1, chunk: "c1", score: 1, text: "Text." }];
const answer = { answer: "Yes.", language: "en", style: "generated", abstained: false, reason: null, nearest: [], citations: [], sentences: [], usage: {}, timings_ms: {} };
const after = (...events) => events.reduce(applyCompared, startComparison(1, "Why?"));
const told = (event, arm, data) => ({ event, data: { arm, ...data } });

test("the passages are those of the comparison and of the arms that read them", () => {
  const comparison = after(told("sources", null, { hits }));
  assert.deepEqual(comparison.hits, hits);
  assert.deepEqual(arms.map((arm) => comparison.columns[arm].hits.length), [0, 1, 0, 1]);
  assert.deepEqual(arms.map((arm) => comparison.columns[arm].phase), ["writing", "searching", "writing", "searching"]);
});

test("what one arm says is in its own column only", () => {
  const { columns } = after(told("token", "rag", { text: "Yes" }), told("token", "base", { text: "No" }));
  assert.deepEqual(arms.map((arm) => columns[arm].raw), ["No", "Yes", "", ""]);
});

test("a comparison goes on until its last arm has ended", () => {
  const most = after(...arms.slice(1).map((arm) => told("done", arm, answer)));
  assert.ok(isComparing(most));
  assert.ok(!isComparing(applyCompared(most, told("done", "base", answer))));
});

test("an arm that is not there is told apart from one that failed", () => {
  const comparison = after(
    told("error", "tuned", { status: 404, title: "Not found", detail: "no adapter is live" }),
    told("error", "rag", { status: 503, title: "Not available", detail: "the engine failed" }),
  );
  assert.deepEqual(comparison.absent, ["tuned"]);
  assert.equal(comparison.columns.tuned.problem, "no adapter is live");
  assert.equal(comparison.columns.rag.phase, "failed");
  assert.equal(comparison.columns.base.phase, "searching");
});

test("the end, and what a newer server may send, change nothing", () => {
  const comparison = startComparison(1, "Why?");
  assert.equal(applyCompared(comparison, { event: "end", data: {} }), comparison);
  assert.equal(applyCompared(comparison, told("token", "tuned-twice", { text: "x" })), comparison);
});

test("stopping and failing end the open columns and leave the others", () => {
  const comparison = after(told("done", "base", answer));
  assert.deepEqual(arms.map((arm) => stopComparison(comparison).columns[arm].phase), ["done", "stopped", "stopped", "stopped"]);
  const failed = failComparison(comparison, "lost");
  assert.deepEqual(arms.map((arm) => failed.columns[arm].problem), ["", "lost", "lost", "lost"]);
});
