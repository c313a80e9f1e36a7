// The desk's inbox: batches in order, each number once; what is missing is fetched from the ledger when
// there is a token for it, and else shows as a gap of the own chain. Seals are skipped unread.
import { httpClient } from "@sealane/http";
import {
  followsInbox,
  inboxBatchSchema,
  inboxMessageSchema,
  type InboxBatch,
} from "@sealane/protocol";
import { OperationalError } from "@sealane/runtime";
import type { OwnChain } from "./own-chain.ts";
import type { DeskState } from "./state-file.ts";

export type MissedBatches = {
  /** Batches after a number, oldest first. */
  after(n: number): Promise<InboxBatch[]>;
  close(): void;
};

export const makeMissedBatches = (
  baseUrl: string,
  participant: string,
  token: string,
): MissedBatches => {
  const http = httpClient({
    baseUrl,
    token,
    timeoutMs: 5_000,
    connections: 2,
    maxAnswer: 64 << 20,
  });
  return {
    after: async (n) => {
      const answer = await http.get(`/v1/inbox/${participant}?after=${n}&limit=100`);
      if (answer.outcome !== "ok" || answer.status !== 200) {
        const cause = answer.outcome === "ok" ? answer.status : answer.error;
        const message = "the ledger did not give what the inbox misses";
        throw new OperationalError("ledger-unreachable", message, { retryable: true, cause });
      }
      const lines = answer.body.split("\n").filter((line) => line !== "");
      return lines.map((line) => inboxBatchSchema.parse(JSON.parse(line)));
    },
    close: () => http.close(),
  };
};

export type Handled =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly detail: string };

type Deps = {
  readonly participant: string;
  /** Whose messages are taken; undefined: there is one lane, and all are its. */
  readonly lane?: number | undefined;
  readonly state: DeskState;
  readonly chain: OwnChain;
  readonly missed: MissedBatches | undefined;
  readonly log: { warn(fields: object, message: string): void };
};

const decoder = new TextDecoder("utf-8", { fatal: true });
/** As the ledger writes it; any other spelling is parsed, and then skipped. */
const sealStart = Buffer.from('{"v":1,"type":"seal"');

const batchStart = '{"v":1,"type":"batch","lane":';

/** Seen without parsing, where it is written as the ledger writes it; any other spelling is parsed. */
const isOfAnother = (value: Uint8Array, lane: number | undefined): boolean => {
  if (lane === undefined) return false;
  const start = Buffer.from(value.buffer, value.byteOffset, value.length)
    .subarray(0, batchStart.length + 5)
    .toString("latin1");
  return start.startsWith(batchStart) && !start.startsWith(`${batchStart}${lane},`);
};

const isSeal = (value: Uint8Array): boolean =>
  sealStart.compare(value, 0, Math.min(sealStart.length, value.length)) === 0;

const refuse = (code: string, detail: string): Handled => ({ ok: false, code, detail });

export const makeInbox = ({ participant, lane, state, chain, missed, log }: Deps) => {
  const { inbox } = state;

  const takeBatch = async (batch: InboxBatch): Promise<void> => {
    for (const item of batch.items) if (item.type === "entry") await chain.take(item.note);
    inbox.n = batch.n + 1;
  };

  const fetchMissing = async (
    from: number,
    message: InboxBatch,
    by: MissedBatches,
  ): Promise<void> => {
    const upTo = message.n;
    log.warn({ from, upTo }, "the inbox has a gap: fetching it");
    for (let next = from; next < upTo;) {
      const before = next;
      for (const batch of await by.after(next - 1)) {
        if (!followsInbox(batch, next) || batch.n >= upTo) continue;
        await takeBatch(batch);
        next = batch.n + 1;
      }
      // A ledger that was rebuilt has nothing up to where its numbers begin anew.
      if (next === before && followsInbox(message, next)) return;
      if (next === before) throw new Error(`the ledger does not have message ${before}`);
    }
  };

  /** One record of the topic. @throws to be given the same record again */
  const handle = async (value: Uint8Array | null): Promise<Handled> => {
    if (value === null) return refuse("message-empty", "no value");
    if (isSeal(value) || isOfAnother(value, lane)) return { ok: true };
    let json: unknown;
    try {
      json = JSON.parse(decoder.decode(value));
    } catch {
      return refuse("message-malformed", "not JSON in UTF-8");
    }
    const parsed = inboxMessageSchema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      return refuse("message-schema", `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`);
    }
    const message = parsed.data;
    if (message.to !== participant) return refuse("not-ours", `it is for ${message.to}`);
    if (lane !== undefined && message.lane !== lane) return { ok: true };
    if (message.type === "seal" || message.n < (inbox.n ?? 0)) return { ok: true };
    if (inbox.n !== undefined && message.n > inbox.n && missed !== undefined) {
      await fetchMissing(inbox.n, message, missed);
    }
    await takeBatch(message);
    return { ok: true };
  };

  return { handle };
};
