// What a participant reads of the log itself: its own entries with their proofs, page by page, and the
// receipt of one transfer, logged at once and sealed as soon as a quorum has cosigned it.
import { parsePrefer, problem, route, type HttpApp, type Problem } from "@sealane/http";
import { transferIdSchema } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { formatProof, fromUtf8, parseCheckpointText, parseNote, utf8 } from "@sealane/tlog";
import { z } from "zod";
import type { NoteRead } from "./access.ts";
import { concerns, sheetIn } from "./entry-chains.ts";
import type { LaneStore } from "./lane-store.ts";
import type { LaneWriter } from "./lane-writer.ts";
import type { Tree } from "./tree.ts";

export type ReceiptDeps = {
  readonly app: HttpApp;
  readonly origin: string;
  readonly writer: LaneWriter;
  readonly store: LaneStore;
  readonly tree: Tree;
  readonly clock: () => number;
  readonly onRead: NoteRead;
};

/** Entries looked through for one page: about 2 ms where none is the reader's. */
const scanned = 1_000;

const mountOwnEntries = ({ app, origin, writer, store, onRead }: ReceiptDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/entries",
    summary: "Own entries with proofs under the newest sealed checkpoint, in order of the log",
    tags: ["participants"],
    auth: "participant",
    query: z.strictObject({
      /** The place to go on from: 0, then `next` of the page before. */
      from: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    responses: { 200: "The entries, the checkpoint, and where to go on" },
    handler: async ({ query, principal }) => {
      const { from, limit } = query;
      const { size, note: checkpoint } = writer.seals.sealed();
      const to = Math.min(size, from + scanned);
      // Reading an entry takes its time: first whether it can be the reader's at all.
      const mark = `"participant":"${principal}"`;
      const entries: { seq: number; note: string; hashes: string[] }[] = [];
      /** Wallets are told every sheet when it is logged: they may read them again here. */
      const sheets: string[] = [];
      let next = Math.max(from, to);
      for (const [at, bytes] of (from < to ? await store.readEntries(from, to) : []).entries()) {
        const isSheet = bytes.includes("/rate-sheet/v1\n");
        if (!isSheet && !bytes.includes(mark)) continue;
        const note = bytes.toString("utf8");
        const sheet = isSheet ? sheetIn(note) : undefined;
        if (sheet !== undefined) sheets.push(sheet);
        if (!concerns(note, principal)) continue;
        if (entries.length === limit) {
          next = from + at;
          break;
        }
        entries.push({ seq: from + at, note, hashes: writer.seals.proof(from + at) });
      }
      if (entries.length > 0) {
        onRead({ reader: principal, log: origin, from, to: next });
      }
      return { status: 200, body: { checkpoint, size, entries, sheets, next, done: next >= size } };
    },
  });
};

const noReceipt = (detail: string): Problem =>
  problem({
    status: 409,
    code: "receipt-not-ready",
    title: "There is no receipt",
    detail,
    action: "Ask again with Prefer: wait=3; what was refused has no entry, and no receipt.",
  });

/** The newest checkpoint that covers a place: cosigned, else with the log's own line only. */
const checkpointOver = (seq: number, { writer, tree }: ReceiptDeps) => {
  const { size, note } = writer.seals.sealed();
  if (seq < size) return { kind: "sealed", note, size } as const;
  const own = writer.checkpoint();
  if (own === "") return undefined;
  const { size: logged } = parseCheckpointText(parseNote(own).text);
  if (seq >= logged || logged > tree.size()) return undefined;
  return { kind: "logged", note: own, size: logged } as const;
};

const pollMs = 10;

const mountReceipt = (deps: ReceiptDeps): void => {
  const { app, origin, writer, store, tree, clock, onRead } = deps;

  const waitForSeal = async (seq: number, waitMs: number, signal: AbortSignal): Promise<void> => {
    const until = clock() + waitMs;
    const sealed = (): boolean => seq < writer.seals.sealed().size;
    while (!sealed() && clock() < until && !signal.aborted) await pause(pollMs, signal);
  };

  const placeOf = async (id: string, waitMs: number, signal: AbortSignal) => {
    const until = clock() + waitMs;
    for (;;) {
      const { known } = await store.lookUp([id], []);
      const ended = known.get(id);
      const open = writer.state()?.open.get(id);
      if (ended !== undefined || open === undefined || clock() >= until || signal.aborted) {
        return { ended, open };
      }
      await pause(pollMs * 5, signal);
    }
  };

  route(app, {
    method: "get",
    path: "/v1/transfers/:id/receipt",
    summary: "The receipt (C2SP tlog-proof): logged at once, sealed with a quorum; Prefer: wait=N",
    tags: ["participants"],
    auth: "participant",
    params: z.object({ id: transferIdSchema }),
    responses: {
      200: "text/plain; Sealane-Receipt says logged or sealed",
      403: "Another's transfer",
      404: "Not known",
      409: "It has no entry, or none yet",
    },
    handler: async ({ params: { id }, principal, req, signal }) => {
      const { waitMs = 0 } = parsePrefer(req);
      const { ended, open } = await placeOf(id, waitMs, signal);
      if (ended?.seq === undefined) {
        if (open !== undefined) {
          const { payer, payee, sheet } = open.terms;
          const parties = [payer.participant, payee.participant, sheet.provider];
          return parties.includes(principal)
            ? noReceipt("the transfer is still open")
            : forbidden();
        }
        if (ended !== undefined) {
          return ended.payer === principal ? noReceipt("the transfer was refused") : forbidden();
        }
        return problem({
          status: 404,
          code: "transfer-unknown",
          title: "The ledger does not know this transfer",
          detail: "it may still arrive: this is not an answer",
          action: "Ask for /v1/transfers/{id} with `since`, the time of your request.",
          extra: { final: false },
        });
      }
      const { seq } = ended;
      const [entry] = await store.readEntries(seq, seq + 1);
      const note = entry === undefined ? "" : fromUtf8(entry);
      if (!concerns(note, principal)) return forbidden();
      if (waitMs > 0) await waitForSeal(seq, waitMs, signal);
      const over = checkpointOver(seq, deps);
      if (over === undefined) return noReceipt("no checkpoint covers it yet");
      onRead({ reader: principal, log: origin, from: seq, to: seq + 1 });
      const body = formatProof({
        extra: utf8(note),
        index: seq,
        hashes: tree.inclusion(seq, over.size),
        checkpoint: over.note,
      });
      return {
        status: 200,
        body,
        contentType: "text/plain; charset=utf-8",
        headers: { "Sealane-Receipt": over.kind, "Cache-Control": "no-store" },
      };
    },
  });
};

export const forbidden = (): Problem =>
  problem({
    status: 403,
    code: "not-yours",
    title: "This is another participant's",
    action: "Ask with the token of the participant concerned.",
  });

export const mountReceipts = (deps: ReceiptDeps): void => {
  mountOwnEntries(deps);
  mountReceipt(deps);
};
