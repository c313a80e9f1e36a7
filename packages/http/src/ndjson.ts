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

/**
 * One line; `line` counts from 1, empty lines included. A line that cannot be text is a fault of its
 * own, and says nothing about those after it.
 */
export type NdjsonLine =
  | { readonly line: number; readonly text: string }
  | { readonly line: number; readonly fault: Problem };

const NEWLINE = 0x0a;

/**
 * Iterates over the lines that are not blank. A line that is too long (413 `line-too-long`) or not
 * UTF-8 (400 `utf8-malformed`) is yielded as a fault. Throws a Problem (413 `too-many-lines`) that
 * names the line. A last line needs no newline.
 */
export async function* ndjsonBody(
  req: IncomingMessage,
  limits: NdjsonLimits,
): AsyncGenerator<NdjsonLine> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 0;
  // Of a line that is too long nothing is kept: its end is waited for.
  let skipping = false;
  const next = (bytes: Buffer): NdjsonLine | undefined => {
    line += 1;
    const tooLong = skipping || bytes.length > limits.maxLine;
    skipping = false;
    return readLine(bytes, line, tooLong, limits);
  };
  for await (const chunk of req as AsyncIterable<Buffer>) {
    let buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE)) {
      const read = next(buffer.subarray(0, end));
      if (read !== undefined) yield read;
      buffer = buffer.subarray(end + 1);
    }
    if (buffer.length > limits.maxLine) skipping = true;
    rest = skipping ? Buffer.alloc(0) : buffer;
  }
  const last = rest.length > 0 || skipping ? next(rest) : undefined;
  if (last !== undefined) yield last;
}

function readLine(
  bytes: Buffer,
  line: number,
  tooLong: boolean,
  limits: NdjsonLimits,
): NdjsonLine | undefined {
  if (line > limits.maxLines) {
    const action = `Send at most ${limits.maxLines} lines at once; those before it were taken.`;
    throw refuse(413, "too-many-lines", line, "it is one too many", action);
  }
  if (tooLong) {
    const detail = `a line has at most ${limits.maxLine} bytes`;
    const action = "Send this line shorter.";
    return { line, fault: refuse(413, "line-too-long", line, detail, action) };
  }
  if (!isUtf8(bytes)) {
    const action = "Encode this line as UTF-8.";
    return { line, fault: refuse(400, "utf8-malformed", line, "the line is not UTF-8", action) };
  }
  const text = bytes.toString("utf8").trim();
  return text === "" ? undefined : { line, text };
}

function refuse(
  status: number,
  code: string,
  line: number,
  detail: string,
  action: string,
): Problem {
  const title = "A line of the body is refused";
  const told = `line ${line}: ${detail}`;
  return problem({ status, code, title, detail: told, action, pointer: "", extra: { line } });
}
