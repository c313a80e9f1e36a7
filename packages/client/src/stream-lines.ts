// A byte stream as text lines, and as server-sent events (WHATWG HTML §9.2). A line that never ends is
// refused, not collected.

const maxLine = 1 << 20;

/** Lines without their ends (`\n` or `\r\n`); a last line needs no end. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
    if (rest.length > maxLine) throw new RangeError("a line of the answer is over 1 MiB");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/** The `data` of each event; comments and other fields are skipped. */
export async function* eventData(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  for await (const line of linesOf(stream)) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
    } else if (line.startsWith("data:")) {
      data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
    }
  }
}
