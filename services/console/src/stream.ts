// Server-sent events: one stream per open page, with the overview each second and the newest entries twice
// a second. A reader that cannot keep up loses its stream, not the console its memory.
import type { ServerResponse } from "node:http";
import type { EntryRow, Overview } from "./api-types.ts";
import type { LogBook } from "./log-book.ts";
import type { Pulse } from "./pulse.ts";

export type Stream = {
  /** Writes to `res` until it closes. */
  readonly open: (res: ServerResponse) => void;
  readonly readers: () => number;
  readonly close: () => void;
};

const mostReaders = 200;
const mostBuffered = 1 << 20;
const mostRows = 25;
const rowsEveryMs = 500;

const transferKinds = new Set(["transfer", "rejection", "cancellation"]);

/** The newest entries about transfers among `from` to `to`, newest first. */
export const newestRows = (
  book: LogBook,
  from: number,
  to: number,
  sealedSize: number,
): EntryRow[] => {
  const rows: EntryRow[] = [];
  const first = Math.max(from, book.start(), to - 4 * mostRows);
  for (let seq = to - 1; seq >= first && rows.length < mostRows; seq -= 1) {
    const row = book.row(seq, sealedSize);
    if (row !== undefined && transferKinds.has(row.kind)) rows.push(row);
  }
  return rows;
};

export const makeStream = (pulse: Pulse, book: LogBook, sealedSize: () => number): Stream => {
  const readers = new Set<ServerResponse>();

  const tell = (event: string, data: unknown): void => {
    if (readers.size === 0) return;
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const res of readers) {
      if (res.writableLength > mostBuffered) res.destroy();
      else res.write(text);
    }
  };

  const stopBeat = pulse.onBeat((overview: Overview) => tell("overview", overview));
  let told = book.end() ?? 0;
  const timer = setInterval(() => {
    const end = book.end() ?? 0;
    if (end <= told) return;
    const rows = newestRows(book, told, end, sealedSize());
    told = end;
    if (rows.length > 0) tell("entries", rows);
  }, rowsEveryMs);

  return {
    open: (res) => {
      if (readers.size >= mostReaders) {
        res.writeHead(503, { "Retry-After": "5" }).end();
        return;
      }
      res.writeHead(200, {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
      });
      res.write(`retry: 2000\nevent: overview\ndata: ${JSON.stringify(pulse.overview())}\n\n`);
      readers.add(res);
      res.once("close", () => readers.delete(res));
    },
    readers: () => readers.size,
    close: () => {
      stopBeat();
      clearInterval(timer);
      for (const res of readers) res.end();
    },
  };
};
