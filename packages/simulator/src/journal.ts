// The core's memory across restarts: an append-only file of JSON lines. A line is written before the
// answer that it stands for; lines of requests that arrive together go in one write. A torn last
// line, left by a crash in the middle of a write, is cut off: its answer was never given.
import { open, readFile, truncate, type FileHandle } from "node:fs/promises";
import { makeBatcher } from "@sealane/runtime";
import type { CreditRecord } from "./credit-state.ts";
import type { NotificationRecord } from "./notification-state.ts";
import type { RecallRecord } from "./recall-state.ts";

export type JournalLine =
  | ({ readonly kind: "credit" } & CreditRecord)
  | ({ readonly kind: "notification" } & NotificationRecord)
  | ({ readonly kind: "recall" } & RecallRecord);

/** As it stands in the file: JSON has no bigint. */
type StoredLine =
  | ({ readonly kind: "credit"; readonly amountMinor: string } & Omit<CreditRecord, "amountMinor">)
  | Exclude<JournalLine, { kind: "credit" }>;

export type Journal = {
  /** Resolves when these lines, and all that were appended before, are written. */
  append(lines: readonly JournalLine[]): Promise<void>;
  close(): Promise<void>;
};

/** Opens the file, hands every line in it to `restore`, and answers a journal to append to. */
export async function openJournal(
  path: string | undefined,
  restore: (line: JournalLine) => void,
): Promise<Journal> {
  if (path === undefined) return { append: async () => {}, close: async () => {} };
  await restoreAll(path, restore);
  const file = await open(path, "a", 0o600);
  const writer = makeBatcher<string, void>({
    maxItems: 10_000,
    run: (texts) => write(file, texts),
  });
  return {
    append: (lines) => writer.add(lines.map(format).join("")),
    close: async () => {
      await writer.idle();
      await file.close();
    },
  };
}

async function write(file: FileHandle, texts: readonly string[]): Promise<void[]> {
  const text = texts.join("");
  if (text !== "") await file.appendFile(text);
  return texts.map(() => undefined);
}

async function restoreAll(path: string, restore: (line: JournalLine) => void): Promise<void> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) await truncate(path, whole);
  for (let start = 0; start < whole;) {
    const end = bytes.indexOf(0x0a, start);
    restore(parse(bytes.toString("utf8", start, end)));
    start = end + 1;
  }
}

function format(line: JournalLine): string {
  const stored: StoredLine =
    line.kind === "credit" ? { ...line, amountMinor: line.amountMinor.toString() } : line;
  return `${JSON.stringify(stored)}\n`;
}

function parse(text: string): JournalLine {
  const line = JSON.parse(text) as StoredLine;
  return line.kind === "credit" ? { ...line, amountMinor: BigInt(line.amountMinor) } : line;
}
