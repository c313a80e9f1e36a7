// Newline-delimited JSON bodies, read line by line with bounded memory: a client may stream a
// million lines, but never one line of a gigabyte.
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { problem, type Problem } from "./problem.ts";

export type NdjsonLimits = {
  /** Bytes of the longest line accepted, without its newline. */
  readonly maxLine: number;
  readonly maxLines: number;
};

/** One line; `line` counts from 1, empty lines included. */
export type NdjsonLine = { readonly line: number; readonly text: string };

const NEWLINE = 0x0a;

/**
 * Iterates over the lines that are not blank. Throws a Problem (413 `line-too-long`,
 * `too-many-lines`; 400 `utf8-malformed`) that names the line. A last line needs no newline.
 */
export async function* ndjsonBody(
  req: IncomingMessage,
  limits: NdjsonLimits,
): AsyncGenerator<NdjsonLine> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    let buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE)) {
      line += 1;
      const text = lineText(buffer.subarray(0, end), line, limits);
      if (text !== "") yield { line, text };
      buffer = buffer.subarray(end + 1);
    }
    if (buffer.length > limits.maxLine) throw tooLong(line + 1, limits.maxLine);
    rest = buffer;
  }
  if (rest.length > 0) {
    const text = lineText(rest, line + 1, limits);
    if (text !== "") yield { line: line + 1, text };
  }
}

function lineText(bytes: Buffer, line: number, limits: NdjsonLimits): string {
  if (bytes.length > limits.maxLine) throw tooLong(line, limits.maxLine);
  if (line > limits.maxLines) throw refuse(413, "too-many-lines", line, "send fewer lines at once");
  if (!isUtf8(bytes)) throw refuse(400, "utf8-malformed", line, "the line is not UTF-8");
  return bytes.toString("utf8").trim();
}

function tooLong(line: number, maxLine: number): Problem {
  return refuse(413, "line-too-long", line, `a line has at most ${maxLine} bytes`);
}

function refuse(status: number, code: string, line: number, detail: string): Problem {
  const title = "A line of the body is refused";
  return problem({ status, code, title, detail: `line ${line}: ${detail}`, extra: { line } });
}
