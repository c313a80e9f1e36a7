// Finds entries among those in memory, and pages back through the whole log by place.
import { LogReadError } from "@sealane/client";
import type { EntryPage, EntryRow } from "./api-types.ts";
import { readEntries, type DetailDeps } from "./entry-detail.ts";
import { rowOf, type OpenedEntry } from "./entry-view.ts";

export type Search = {
  /** Part of an id, a participant, an amount or a reason; nothing: everything. */
  readonly text: string;
  readonly outcome: string | undefined;
  /** `transfers`: what ended or began one; `all`: sheets, statements and advances too. */
  readonly kinds: "transfers" | "all";
  readonly before: number | undefined;
  readonly limit: number;
};

const transferKinds = new Set([
  "transfer",
  "rejection",
  "cancellation",
  "return",
  "recall",
  "recall-refusal",
]);
/** Entries looked through for one page. */
const scanned = 2_048;
const step = 256;

const holds = (row: EntryRow, text: string): boolean => {
  const { seq, transferId, payer, payee, sent, received, reason, kind } = row;
  const fields = [String(seq), transferId, payer, payee, reason, kind].concat(
    [sent, received].flatMap((money) =>
      money === undefined ? [] : [money.amount, `${money.currency} ${money.amount}`],
    ),
  );
  return fields.some((field) => field?.toLowerCase().includes(text) === true);
};

/** Whether a row is asked for. Pure. */
export const fits = (row: EntryRow, { text, outcome, kinds }: Search): boolean => {
  if (kinds === "transfers" && !transferKinds.has(row.kind)) return false;
  if (outcome !== undefined && row.outcome !== outcome) return false;
  const wanted = text.trim().toLowerCase().replaceAll(",", "");
  return wanted === "" || holds(row, wanted);
};

/** The log's newest entries first; a fault of the log ends the page early, and says so. */
export const searchEntries = async (
  deps: DetailDeps,
  search: Search,
  sealedSize: number,
): Promise<EntryPage> => {
  const end = deps.book.end() ?? sealedSize;
  let to = Math.min(search.before ?? end, end);
  const lowest = Math.max(0, to - scanned);
  const rows: EntryRow[] = [];
  while (to > lowest && rows.length < search.limit) {
    const from = Math.max(lowest, to - step, Math.floor((to - 1) / step) * step);
    let entries: OpenedEntry[];
    try {
      entries = await readEntries(deps, from, to);
    } catch (error) {
      if (!(error instanceof LogReadError)) throw error;
      const fault = "older entries cannot be read now: the ledger does not answer";
      return { rows, searchedFrom: to, older: to, fault };
    }
    for (const entry of entries.toReversed()) {
      const row = rowOf(entry, sealedSize);
      if (fits(row, search)) rows.push(row);
      if (rows.length >= search.limit) {
        to = entry.seq;
        break;
      }
      to = entry.seq;
    }
  }
  return { rows, searchedFrom: to, ...(to > 0 ? { older: to } : {}) };
};
