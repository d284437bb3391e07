/**
 * Server-sent events from the body of a fetch (EventSource cannot POST).
 *
 * Follows the WHATWG parsing rules as far as our server uses them: CR, LF and CRLF end a line, lines that start with a
 * colon are comments (the server's `: ping`), several `data` lines join with a line feed, an event without data is
 * dropped, and so is one that the stream's end cuts off. Knows nothing of what the events mean.
 */

/** @typedef {{event: string, data: string}} ServerEvent */

/**
 * A parser to push text into, in whatever pieces the network delivers.
 * @returns {(text: string) => ServerEvent[]} the events that this piece completed
 */
export function createParser() {
  let rest = "";
  let event = "";
  /** @type {string[]} */
  let data = [];

  return (text) => {
    rest += text;
    // A CR at the very end may be the first half of a CRLF: it waits for the next piece.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    /** @type {ServerEvent[]} */
    const complete = [];
    for (const line of lines) {
      if (line === "") {
        if (data.length) complete.push({ event: event || "message", data: data.join("\n") });
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") event = value;
      else if (field === "data") data.push(value);
    }
    return complete;
  };
}

/**
 * The events of a response body, as they arrive. Leaving the loop early cancels the stream.
 * @param {ReadableStream<BufferSource>} body
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const push = createParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* push(value);
    }
  } finally {
    reader.cancel().catch(() => {}); // already broken or aborted: there is nothing left to cancel
  }
}
