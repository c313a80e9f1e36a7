// The journal's file: a first line that names it, then one line for each change, `HASH BODY`, where HASH is
// SHA-256 of the hash before and the body. Append-only: what stands before the mark that the database
// keeps is never written again; what stands behind it was not committed, and is cut off.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** How far a journal goes for sure. */
export type JournalMark = { readonly id: string; readonly bytes: number; readonly hash: string };

const heading = "sealane-reconciliation-journal/v1";
const headPattern = new RegExp(`^${heading} ([0-9a-f-]{36})$`);

export class JournalError extends Error {
  readonly code = "journal-damaged";
  readonly retryable = false;
}

const hashOf = (before: string, body: string): string =>
  createHash("sha256").update(before).update(body).digest("base64");

/** What is to be written behind the mark, and the mark behind that. */
export const journalLines = (
  mark: JournalMark,
  bodies: readonly string[],
): { readonly text: Buffer; readonly mark: JournalMark } => {
  let { hash } = mark;
  const lines = bodies.map((body) => {
    hash = hashOf(hash, body);
    return `${hash} ${body}\n`;
  });
  const text = Buffer.from(lines.join(""));
  return { text, mark: { id: mark.id, bytes: mark.bytes + text.length, hash } };
};

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/** Begins a journal, in the place of one that is put aside. */
export const beginJournal = async (path: string): Promise<JournalMark> => {
  const id = randomUUID();
  const head = Buffer.from(`${heading} ${id}\n`);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.write(head);
    await file.sync();
  } finally {
    await file.close();
  }
  if ((await sizeOf(path)) !== undefined) await rename(path, `${path}.${id}.old`);
  await rename(`${path}.new`, path);
  await syncFolder(path);
  return { id, bytes: head.length, hash: hashOf("", head.toString("utf8")) };
};

const sizeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

/** Appends behind the mark, on disk when it returns. @throws JournalError when the file ends before it */
export const appendJournal = async (
  path: string,
  { bytes }: JournalMark,
  text: Buffer,
): Promise<void> => {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    if (size < bytes) throw new JournalError(`${path} has ${size} bytes of ${bytes}`);
    if (size > bytes) await file.truncate(bytes);
    await file.write(text, 0, text.length, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Whole lines, without their ends. Only `\n` ends one: a comment may have other separators in it. */
async function* linesOf(path: string, end: number): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: end - 1 })) {
    let from = 0;
    for (;;) {
      const at = (chunk as Buffer).indexOf(0x0a, from);
      if (at < 0) break;
      yield Buffer.concat([...begun, (chunk as Buffer).subarray(from, at)]);
      begun = [];
      from = at + 1;
    }
    if (from < (chunk as Buffer).length) begun.push((chunk as Buffer).subarray(from));
  }
}

/**
 * Reads bodies in order, each with the mark behind it. A last line that was not written whole is left out.
 * @param until bytes that are read at most
 * @throws JournalError where a line is not what its hash says
 */
export async function* readJournal(
  path: string,
  until = Infinity,
): AsyncGenerator<{ readonly body: string | undefined; readonly mark: JournalMark }> {
  const size = await sizeOf(path);
  if (size === undefined || size === 0) return;
  let mark: JournalMark | undefined;
  for await (const read of linesOf(path, Math.min(size, until))) {
    const line = read.toString("utf8");
    const bytes = (mark?.bytes ?? 0) + read.length + 1;
    if (mark === undefined) {
      const id = headPattern.exec(line)?.[1];
      if (id === undefined) throw new JournalError(`${path} is no journal`);
      mark = { id, bytes, hash: hashOf("", `${line}\n`) };
      yield { body: undefined, mark };
      continue;
    }
    const body = line.slice(45);
    const hash = hashOf(mark.hash, body);
    if (`${hash} ` !== line.slice(0, 45)) {
      throw new JournalError(`${path}: the line at byte ${mark.bytes} was changed`);
    }
    mark = { id: mark.id, bytes, hash };
    yield { body, mark };
  }
}
