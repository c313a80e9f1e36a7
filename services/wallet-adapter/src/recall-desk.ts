// Recalls of what we received: told to the core until it says what to do, and answered on the log by a
// return or a refusal. The core alone knows what it has paid out; of a cancellation its no is said only
// after its credit is on the log, because the ledger takes it no earlier.
import type { HttpClient } from "@sealane/http";
import { recallRefusalReasons, type RecallRefusalReason } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { utf8 } from "@sealane/tlog";
import { z } from "zod";
import { makeCoreQueue } from "./core-desk.ts";
import type { OpenRecall, RecallStore } from "./recall-store.ts";
import type { ReturnDesk } from "./return-desk.ts";
import type { TransferBook } from "./transfer-book.ts";

/** `later`: a person decides; the provider then returns it or refuses through the API. */
const resultSchema = z.object({
  recallId: z.string(),
  answer: z.enum(["return", "refuse", "later"]),
  reason: z.enum(recallRefusalReasons).optional(),
});
type Result = z.infer<typeof resultSchema>;

export type RecallDesk = ReturnType<typeof makeRecallDesk>;

type Deps = {
  readonly core: HttpClient;
  readonly store: RecallStore;
  readonly returns: ReturnDesk;
  readonly book: TransferBook;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
};

export const makeRecallDesk = (deps: Deps) => {
  const { store, returns, book, log } = deps;
  const stopping = new AbortController();
  /** By the original's id: what is open, and what the core has said of it. */
  const open = new Map<string, { readonly recall: OpenRecall; said?: Result }>();

  const queue = makeCoreQueue({
    core: deps.core,
    path: "/v1/recalls",
    list: "recalls",
    result: resultSchema,
    keyOf: ({ recallId }) => recallId,
    inFlight: 1,
    perCall: 50,
    timeoutMs: 5_000,
    lingerMs: 20,
    clock: deps.clock,
    onFailure: (detail, jobs) => log.warn({ detail, jobs }, "the core did not answer recalls"),
  });

  const take = (recall: OpenRecall): void => {
    const { original, recallId, amount, reason, cancel } = recall;
    open.set(original, { recall });
    // Where nobody here can sign, a provider that signs by itself answers.
    if (!returns.signs) return;
    queue.add({
      key: recallId,
      build: () => Promise.resolve({ recallId, transferId: original, ...amount, reason, cancel }),
      done: (said) => {
        const now = open.get(original);
        if (now?.recall.recallId === recallId) now.said = said;
      },
    });
  };

  /** Gives back what the core agreed to. The same key again is the same return. */
  const giveBack = async ({ recallId, original, amount, cancel }: OpenRecall): Promise<void> => {
    const asked = {
      amount,
      reason: "FOCR",
      rate: "original",
      bearer: cancel ? "earner" : "payer",
      recallId,
    } as const;
    const body = utf8(JSON.stringify(asked));
    const taken = await returns.giveBack(original, `recall ${recallId}`, asked, body);
    if (!taken.ok) log.warn({ original, code: taken.code }, "a recalled transfer is not returned");
  };

  const answerOne = async (recall: OpenRecall, { answer, reason }: Result): Promise<boolean> => {
    if (answer === "later") return true;
    if (answer === "return") {
      await giveBack(recall);
      return true;
    }
    const paidOut = (await book.find(recall.original))?.status === "credited";
    if (recall.cancel && !paidOut) return false;
    await returns.refuseRecall(recall, reason ?? "CUST");
    return true;
  };

  const tryOne = async (one: { readonly recall: OpenRecall; said?: Result }): Promise<void> => {
    if (one.said === undefined) return;
    try {
      if (await answerOne(one.recall, one.said)) delete one.said;
    } catch (err) {
      log.warn({ err }, "the answer to a recall was not published, trying again");
    }
  };

  const run = async (everyMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      await pause(everyMs, stopping.signal);
      for (const one of open.values()) await tryOne(one);
    }
  };

  return {
    /** A recall is on the log: kept until its answer is. */
    opened: async (recall: OpenRecall): Promise<void> => {
      await store.keep(recall);
      take(recall);
    },
    /** Its answer is on the log. */
    closed: async (original: string): Promise<void> => {
      if (!open.delete(original)) return;
      await store.close(original);
    },
    /** What is open of a transfer. */
    of: (original: string): OpenRecall | undefined => open.get(original)?.recall,
    /** The provider's no, by a person. */
    refuse: (recall: OpenRecall, reason: RecallRefusalReason): Promise<void> =>
      returns.refuseRecall(recall, reason),
    begin: async (): Promise<void> => {
      for (const recall of await store.readOpen()) take(recall);
    },
    run,
    open: (): number => open.size,
    stop: (): void => {
      stopping.abort();
      queue.stop();
    },
  };
};
