/** The stream parser, against the rules of the WHATWG specification that our server's streams use. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createParser, readEvents } from "../../../services/web/src/sse.js";

const stream = ': ping\n\nevent: token\ndata: {"text":"年假"}\n\nevent: done\r\ndata: a\r\ndata:b\r\n\r\nevent: empty\n\ndata: last\n\n';
const events = [
  { event: "token", data: '{"text":"年假"}' },
  { event: "done", data: "a\nb" },
  { event: "message", data: "last" },
];

test("comments and events without data are dropped, and data lines join", () => {
  assert.deepEqual(createParser()(stream), events);
});

test("an event may be cut anywhere by the network", () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    const push = createParser();
    assert.deepEqual([...push(stream.slice(0, cut)), ...push(stream.slice(cut))], events, `cut at ${cut}`);
  }
  const push = createParser();
  assert.deepEqual([...stream].flatMap((character) => push(character)), events);
});

test("an event that the stream's end cuts off is dropped", () => {
  assert.deepEqual(createParser()("data: half"), []);
  assert.deepEqual(createParser()("data: half\n"), []);
});

test("a character may be cut into bytes, and leaving the loop cancels the stream", async () => {
  let cancelled = false;
  const bytes = new TextEncoder().encode(stream);
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, (at += 1)));
    },
    cancel() {
      cancelled = true;
    },
  });
  for await (const event of readEvents(body)) {
    assert.deepEqual(event, events[0]);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(cancelled);
});
