// A participant's own entries as the ledger gives them, with proofs: everything that its export takes.
// Nothing here is believed: what is made of it is verified like anybody else's (`verifyBundle`).
import { formatProof, fromBase64, TlogError, utf8 } from "@sealane/tlog";
import { LogReadError } from "./log-reader.ts";

export type OwnEntries = {
  /** One receipt for each own entry, in order of the log. */
  readonly receipts: readonly string[];
  /** The notes of all rate sheets that stand between them. */
  readonly sheets: readonly string[];
};

export type OwnEntriesOptions = {
  /** The ledger's API, e.g. `http://127.0.0.1:8083`. */
  readonly ledgerUrl: string;
  /** By which the ledger knows the participant. */
  readonly token: string;
  readonly onProgress?: ((place: number, size: number) => void) | undefined;
};

type Page = {
  readonly checkpoint: string;
  readonly size: number;
  readonly entries: readonly { readonly seq: number; readonly note: string; hashes: string[] }[];
  readonly sheets: readonly string[];
  readonly next: number;
  readonly done: boolean;
};

const pageTimeoutMs = 15_000;

const isPage = (value: unknown): value is Page => {
  const page = value as Partial<Page> | null;
  return (
    typeof page?.checkpoint === "string" &&
    typeof page.next === "number" &&
    Array.isArray(page.entries) &&
    Array.isArray(page.sheets)
  );
};

const fetchPage = async ({ ledgerUrl, token }: OwnEntriesOptions, from: number): Promise<Page> => {
  const url = `${ledgerUrl.replace(/\/+$/, "")}/v1/entries?from=${from}`;
  let response: Response;
  let body: unknown;
  try {
    const signal = AbortSignal.timeout(pageTimeoutMs);
    const headers = { Authorization: `Bearer ${token}` };
    response = await fetch(url, { signal, headers, redirect: "error" });
    body = await response.json();
  } catch (error) {
    throw new LogReadError("log-unreachable", `${url} cannot be read`, error);
  }
  if (response.ok && isPage(body)) return body;
  throw new LogReadError("log-refused", `${url} answered ${response.status}`);
};

/** Reads all own entries up to the newest seal. @throws LogReadError */
export const readOwnEntries = async (options: OwnEntriesOptions): Promise<OwnEntries> => {
  const receipts: string[] = [];
  const sheets: string[] = [];
  for (let from = 0; ;) {
    const page = await fetchPage(options, from);
    try {
      for (const { seq, note, hashes } of page.entries) {
        const proof = hashes.map((hash) => fromBase64(hash));
        const { checkpoint } = page;
        receipts.push(formatProof({ extra: utf8(note), index: seq, hashes: proof, checkpoint }));
      }
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      throw new LogReadError("log-refused", `what the ledger gave is no proof`, error);
    }
    sheets.push(...page.sheets);
    options.onProgress?.(page.next, page.size);
    if (page.done) return { receipts, sheets };
    if (page.next <= from) throw new LogReadError("log-refused", "the ledger gives no more pages");
    from = page.next;
  }
};
