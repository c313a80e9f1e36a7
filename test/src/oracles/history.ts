// What clients saw: a line when a request is made and one when it is answered, refused or lost. The journal
// that promise 1 is judged by; nothing in it is a guess.
export type HistoryEvent = "invoked" | "ok" | "failed" | "unknown";

export type HistoryLine = {
  readonly atMs: number;
  readonly event: HistoryEvent;
  readonly id: string;
  readonly key: string;
  /** Counts the requests under one key. */
  readonly attempt: number;
  /** Another body under a key that was used: must change nothing. */
  readonly other?: true;
  /** HTTP status of an answer. */
  readonly status?: number;
  readonly code?: string;
  /** How the transfer stands by that answer. */
  readonly transfer?: string;
  readonly position?: number;
  readonly detail?: string;
};

export type ToldEnd = { readonly status: string; readonly position: number | undefined };

/** One transfer by what its client was told. */
export type ToldTransfer = {
  readonly id: string;
  readonly firstMs: number;
  lastMs: number;
  /** Some request under its key was answered with a 2xx. */
  accepted: boolean;
  /** Definitely refused at the door: 4xx that no repetition changes. */
  refused: string | undefined;
  readonly ends: ToldEnd[];
  /** Answers to another body under its key. */
  readonly others: { readonly status: number; readonly transfer: string | undefined }[];
};

export type History = {
  readonly lines: readonly HistoryLine[];
  readonly transfers: ReadonlyMap<string, ToldTransfer>;
};

const finals = new Set(["sealed", "credited", "rejected", "expired", "cancelled"]);

const note = (told: ToldTransfer, line: HistoryLine): void => {
  told.lastMs = Math.max(told.lastMs, line.atMs);
  if (line.other === true) {
    if (line.event !== "invoked" && line.status !== undefined) {
      told.others.push({ status: line.status, transfer: line.transfer });
    }
    return;
  }
  const { status, transfer, position } = line;
  if (status !== undefined && status < 300) told.accepted = true;
  if (line.event === "failed" && status !== undefined && status < 500 && status !== 429) {
    told.refused = line.code ?? String(status);
  }
  if (line.event === "ok" && transfer !== undefined && finals.has(transfer)) {
    told.ends.push({ status: transfer, position });
  }
};

/** Reads a journal as transfers. */
export const foldHistory = (lines: readonly HistoryLine[]): History => {
  const transfers = new Map<string, ToldTransfer>();
  for (const line of lines) {
    let told = transfers.get(line.id);
    if (told === undefined) {
      told = {
        id: line.id,
        firstMs: line.atMs,
        lastMs: line.atMs,
        accepted: false,
        refused: undefined,
        ends: [],
        others: [],
      };
      transfers.set(line.id, told);
    }
    note(told, line);
  }
  return { lines, transfers };
};
