// What participants ask the ledger over HTTP: what they missed of their inbox, proofs and receipts of
// their own entries, the signed answer to "what became of this transfer?". And key-log statements,
// which carry their own authority in their signatures.
import { problem, route, type HttpApp } from "@sealane/http";
import { formatTime, parseTime, statementText, transferIdSchema } from "@sealane/protocol";
import type { Signer } from "@sealane/signer";
import { composeNote, fromUtf8 } from "@sealane/tlog";
import { z } from "zod";
import type { NoteRead } from "./access.ts";
import { concerns } from "./entry-chains.ts";
import type { KeyLog } from "./key-log.ts";
import type { LaneStore } from "./lane-store.ts";
import type { LaneWriter } from "./lane-writer.ts";
import { forbidden } from "./receipt-routes.ts";

export type ApiDeps = {
  readonly app: HttpApp;
  readonly origin: string;
  readonly writer: LaneWriter;
  readonly store: LaneStore;
  readonly keyLog: KeyLog;
  readonly entrySigner: Signer;
  readonly clock: () => number;
  readonly onKeyLogGrown: () => void;
  readonly onRead: NoteRead;
};

/** A verified absence at a log time this long after the request ends an unknown outcome. */
export const notFoundAfterMs = 300_000;

const mountInbox = ({ app, origin, writer, store, onRead }: ApiDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/inbox/:participant",
    summary: "Messages of an inbox after a number, for whoever saw a gap",
    tags: ["participants"],
    auth: "participant",
    params: z.object({ participant: z.string().max(200) }),
    query: z.strictObject({
      after: z.coerce.number().int().min(-1).default(-1),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    responses: { 200: "NDJSON, one message a line, in order", 403: "Another's inbox" },
    handler: async ({ params, query, principal }) => {
      if (principal !== params.participant) return forbidden();
      const stored = await store.readMessages(params.participant, query.after, query.limit);
      const open = writer.state()?.open ?? new Map();
      const bodies = { entries: new Map(), open, refusalNotes: [], traces: new Map() };
      const places = stored.flatMap(({ refs }) =>
        refs.flatMap((ref) => (ref.type === "entry" ? [ref.seq] : [])),
      );
      if (places.length > 0) {
        const [from, to] = [Math.min(...places), Math.max(...places) + 1];
        onRead({ reader: principal, log: origin, from, to });
      }
      const lines: string[] = [];
      for (const message of stored) {
        lines.push(`${JSON.stringify(await writer.builder.inboxBatch(message, bodies))}\n`);
      }
      return { status: 200, body: lines.join(""), contentType: "application/x-ndjson" };
    },
  });
};

const mountProofs = ({ app, origin, writer, store, onRead }: ApiDeps): void => {
  route(app, {
    method: "get",
    path: "/v1/proofs",
    summary: "Inclusion proofs of own entries under the newest sealed checkpoint",
    tags: ["participants"],
    auth: "participant",
    query: z.strictObject({ seqs: z.string().regex(/^\d{1,15}(,\d{1,15}){0,199}$/) }),
    responses: {
      200: "The checkpoint and the proofs",
      403: "Another's entry",
      404: "Not sealed yet",
    },
    handler: async ({ query, principal }) => {
      const { size, note: checkpoint } = writer.seals.sealed();
      const proofs: { seq: number; note: string; hashes: string[] }[] = [];
      for (const seq of query.seqs.split(",").map(Number)) {
        if (seq >= size) continue;
        const [entry] = await store.readEntries(seq, seq + 1);
        if (entry === undefined) continue;
        const note = fromUtf8(entry);
        if (!concerns(note, principal)) return forbidden();
        onRead({ reader: principal, log: origin, from: seq, to: seq + 1 });
        proofs.push({ seq, note, hashes: writer.seals.proof(seq) });
      }
      return { status: 200, body: { checkpoint, proofs } };
    },
  });
};

const mountTransfers = (deps: ApiDeps): void => {
  const { app, store, writer, clock, origin, entrySigner, onRead } = deps;
  route(app, {
    method: "get",
    path: "/v1/transfers/:id",
    summary: "What the ledger knows of a transfer; a signed not-found ends an unknown outcome",
    tags: ["participants"],
    auth: "participant",
    params: z.object({ id: transferIdSchema }),
    query: z.strictObject({ since: z.iso.datetime({ precision: 3 }).optional() }),
    responses: { 200: "Its state", 404: "Not known; final only with a signed note" },
    handler: async ({ params, query, principal }) => {
      const { id } = params;
      const open = writer.state()?.open.get(id);
      if (open !== undefined) {
        const { terms, reservedAtMs } = open;
        const parties = [terms.payer.participant, terms.payee.participant, terms.sheet.provider];
        if (!parties.includes(principal)) return forbidden();
        return { status: 200, body: { id, state: "reserved", time: formatTime(reservedAtMs) } };
      }
      const { known } = await store.lookUp([id], []);
      const ended = known.get(id);
      if (ended?.seq !== undefined) {
        const [entry] = await store.readEntries(ended.seq, ended.seq + 1);
        const note = entry === undefined ? "" : fromUtf8(entry);
        if (!concerns(note, principal)) return forbidden();
        onRead({ reader: principal, log: origin, from: ended.seq, to: ended.seq + 1 });
        return { status: 200, body: { id, state: "ended", seq: ended.seq, note } };
      }
      if (ended !== undefined) {
        if (ended.payer !== principal) return forbidden();
        return { status: 200, body: { id, state: "refused", note: await store.readRefusal(id) } };
      }
      return notFound(id, query.since);
    },
  });

  const notFound = async (id: string, since: string | undefined) => {
    const nowMs = clock();
    const log = writer.state()?.logTimeMs ?? 0;
    const final = since !== undefined && log - parseTime(since) >= notFoundAfterMs;
    const text = statementText(origin, "not-found", { id, time: formatTime(Math.min(log, nowMs)) });
    const note = final ? composeNote(text, [await entrySigner.signLine(text)]) : undefined;
    return problem({
      status: 404,
      code: "transfer-unknown",
      title: "The ledger does not know this transfer",
      detail: final
        ? "it never arrived within 300 s"
        : "it may still arrive: this is not an answer",
      action: "Ask again with `since`, the time of your request; or cancel it.",
      extra: { final, ...(note === undefined ? {} : { note }) },
    });
  };
};

const mountKeyLog = ({ app, keyLog, clock, onKeyLogGrown }: ApiDeps): void => {
  route(app, {
    method: "post",
    path: "/v1/key-log",
    summary: "Append a signed statement to the key log",
    tags: ["keys"],
    bodyAs: "text",
    body: z.string().min(1).max(16_384),
    responses: { 201: "Its place", 422: "Why it may not stand there" },
    handler: async ({ body }) => {
      const appended = await keyLog.append(body, clock());
      if (appended.ok) {
        onKeyLogGrown();
        return { status: 201, body: { seq: appended.seq } };
      }
      return problem({
        status: 422,
        code: appended.code,
        title: "The statement may not stand in the key log",
        detail: appended.detail,
        action: "Sign it with the keys that the key log asks for at this place.",
      });
    },
  });
};

export const mountApi = (deps: ApiDeps): void => {
  mountInbox(deps);
  mountProofs(deps);
  mountTransfers(deps);
  mountKeyLog(deps);
};
