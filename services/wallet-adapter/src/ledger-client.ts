// The adapter's questions to the ledger over HTTP: what its inbox missed, proofs of its own entries,
// what became of a transfer. Answers are checked by whoever uses them.
import { httpClient } from "@sealane/http";
import { inboxBatchSchema, type InboxBatch } from "@sealane/protocol";
import { OperationalError } from "@sealane/runtime";
import { z } from "zod";

const proofsSchema = z.object({
  checkpoint: z.string(),
  proofs: z.array(z.object({ seq: z.number(), note: z.string(), hashes: z.array(z.string()) })),
});

export type LedgerClient = {
  /** Batches of the own inbox after a number, oldest first. */
  inbox(after: number): Promise<InboxBatch[]>;
  proofs(seqs: readonly number[]): Promise<z.infer<typeof proofsSchema>>;
  /** Status and body of the ledger's own answer about a transfer. */
  transfer(id: string, since: string | undefined): Promise<{ status: number; body: string }>;
  /** The ledger's receipt of an own transfer: logged, or sealed by now. */
  receipt(id: string): Promise<{ status: number; body: string; kind: string }>;
  close(): void;
};

export const makeLedgerClient = (
  baseUrl: string,
  participant: string,
  token: string,
): LedgerClient => {
  const http = httpClient({
    baseUrl,
    token,
    timeoutMs: 5_000,
    connections: 4,
    maxAnswer: 64 << 20,
  });
  const get = async (path: string) => {
    const answer = await http.get(path);
    if (answer.outcome === "ok") return answer;
    const message = `the ledger did not answer ${path.split("?")[0]}`;
    throw new OperationalError("ledger-unreachable", message, {
      retryable: true,
      cause: answer.error,
    });
  };
  const good = async (path: string): Promise<string> => {
    const { status, body } = await get(path);
    if (status === 200) return body;
    const message = `the ledger answered ${status} to ${path.split("?")[0]}`;
    throw new OperationalError("ledger-refused", message, { retryable: status >= 500 });
  };
  return {
    inbox: async (after) => {
      const body = await good(`/v1/inbox/${participant}?after=${after}&limit=100`);
      const lines = body.split("\n").filter((line) => line !== "");
      return lines.map((line) => inboxBatchSchema.parse(JSON.parse(line)));
    },
    proofs: async (seqs) =>
      proofsSchema.parse(JSON.parse(await good(`/v1/proofs?seqs=${seqs.join(",")}`))),
    transfer: (id, since) =>
      get(`/v1/transfers/${id}${since === undefined ? "" : `?since=${encodeURIComponent(since)}`}`),
    receipt: async (id) => {
      const { status, body, headers } = await get(`/v1/transfers/${id}/receipt`);
      return { status, body, kind: String(headers["sealane-receipt"] ?? "") };
    },
    close: () => http.close(),
  };
};
