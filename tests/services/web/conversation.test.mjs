/** What a turn shows after each event. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEvent, endOfSentence, failTurn, historyOf, isSaidBefore, provisionalText, shownQuotes, startTurn, stopTurn } from "../../../services/web/src/conversation.js";

const token = (text) => ({ event: "token", data: { text } });
const sentence = (index, text, more = {}) => ({
  event: "sentence",
  data: { index, text, style: "generated", support: 0.9, supported: true, reason: "", fault: null, judged: true, citations: [], replaces: null, ...more },
});
const play = (...events) => events.reduce(applyEvent, startTurn(1, "question", "auto"));

test("a judged sentence takes the place of its part of the model's text", () => {
  const turn = play(token("One day [1]. Two"), sentence(0, "One day [1]."), token(" days"));
  assert.equal(provisionalText(turn), " Two days");
  assert.deepEqual(turn.sentences.map((s) => s.text), ["One day [1]."]);
});

test("a sentence whose white space and markers were set anew is still found", () => {
  assert.equal(endOfSentence("One\nday. [1] Two.", 0, "One day [1]."), "One\nday. [1]".length);
  assert.equal(endOfSentence("一天。[1]两天。", 0, "一天[1]。"), "一天。[1]".length);
});

test("a sentence that is not in the model's text ends at the next sentence end", () => {
  assert.equal(endOfSentence("One day. Two days.", 0, "Changed."), "One day.".length);
  assert.equal(endOfSentence("一天。两天。", 0, "改了。"), "一天。".length);
  assert.equal(endOfSentence("no end yet", 0, "Changed."), "no end yet".length);
});

test("two quotes that dispute each other are shown once each, and a side that nobody quotes beside the one that names it", () => {
  const quote = (index, citations) => ({ index, citations, style: "quotes", reason: "they disagree" });
  const both = [quote(0, [1, 2]), quote(1, [2, 1])];
  assert.deepEqual([...shownQuotes(both)], [[0, [1]], [1, [2]]]);
  assert.deepEqual([...shownQuotes([quote(0, [1, 2])])], [[0, [1, 2]]]);
  assert.deepEqual(both.map((sentence) => isSaidBefore(both, sentence)), [false, true]);
});

test("a sentence that takes another one's place stands for that one's part of the text", () => {
  const replaces = { text: "Wrong.", action: "quoted", reason: "not borne out", fault: null };
  const turn = play(token("Wrong. Right."), sentence(0, "Word for word.", { style: "quotes", replaces }));
  assert.deepEqual(turn.sentences.map((s) => s.text), ["Word for word."]);
  assert.equal(provisionalText(turn), " Right.");
});

test("a doubted sentence is told apart until what takes its place is there", () => {
  const doubt = { event: "doubt", data: { text: "Wrong.", reason: "not borne out", fault: null } };
  const doubted = play(token("Wrong. Right."), doubt);
  assert.equal(doubted.doubt.text, "Wrong.");
  assert.equal(provisionalText(doubted), " Right.");
  const replaces = { text: "Wrong.", action: "regenerated", reason: "not borne out", fault: null };
  const turn = applyEvent(doubted, sentence(0, "Right after all.", { replaces }));
  assert.equal(turn.doubt, null);
  assert.equal(provisionalText(turn), " Right.");
  assert.equal(stopTurn(doubted).doubt, null);
});

test("a sentence that is left out is kept beside the answer, and its part of the text is past", () => {
  const removed = { event: "removed", data: { text: "Wrong.", action: "removed", reason: "not borne out", fault: null } };
  const turn = play(token("Wrong. Right."), removed);
  assert.deepEqual(turn.removed.map((repair) => repair.text), ["Wrong."]);
  assert.equal(provisionalText(turn), " Right.");
});

test("a quote beside the model's text stands for no part of it", () => {
  const turn = play(token("Still writing"), sentence(0, "Word for word.", { style: "quotes" }));
  assert.equal(provisionalText(turn), "Still writing");
});

test("the whole answer has the last word", () => {
  const answer = { answer: "B.", citations: [], sentences: [{ text: "B.", style: "generated", support: 1, supported: true, citations: [], reason: "" }], removed: [] };
  const turn = play(token("A. B"), sentence(0, "A."), { event: "done", data: answer });
  assert.deepEqual(turn.sentences.map((s) => s.text), ["B."]);
  assert.equal(provisionalText(turn), "");
  assert.equal(failTurn(turn, "late").phase, "done");
});

test("what was not judged is not shown once a turn has stopped or failed", () => {
  const turn = play(token("One. Two"), sentence(0, "One."));
  assert.equal(provisionalText(stopTurn(turn)), "");
  assert.equal(provisionalText(failTurn(turn, "lost")), "");
  assert.equal(stopTurn(turn).sentences.length, 1);
});

test("events of a newer server change nothing", () => {
  const turn = play(token("One."));
  assert.equal(applyEvent(turn, { event: "thought", data: {} }), turn);
});

test("history holds finished turns only, the latest few", () => {
  const done = { event: "done", data: { answer: "answer", citations: [], sentences: [], removed: [] } };
  const turns = [...Array(6)].map((_, n) => applyEvent(startTurn(n, `q${n}`, "auto"), done));
  const history = historyOf([...turns, startTurn(7, "open", "auto")]);
  assert.deepEqual(history.slice(0, 2), [{ role: "user", content: "q2" }, { role: "assistant", content: "answer" }]);
  assert.equal(history.length, 8);
});
