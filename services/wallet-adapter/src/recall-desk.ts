// Recalls of what we received: told to the core until it says what to do, and answered on the log by a
// return or a refusal. The core alone knows what it has paid out; of a cancellation its no is said only
// after its credit is on the log, because the ledger takes it no earlier.
import type { HttpClient } from "@sealane/http";
import { readNote, recallRefusalReasons, type RecallRefusalReason } from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import { composeNote, utf8, type Note } from "@sealane/tlog";
import { z } from "zod";
import { makeCoreQueue } from "./core-desk.ts";
import type { OpenRecall, RecallStore } from "./recall-store.ts";
import { ownSignatureFault } from "./own-signature.ts";
import type { PreparedLinked, ReturnDesk } from "./return-desk.ts";
import type { TransferBook } from "./transfer-book.ts";

/** `later`: a person decides; the provider then returns it or refuses through the API. */
const resultSchema = z.object({
  recallId: z.string(),
  answer: z.enum(["return", "refuse", "later"]),
  reason: z.enum(recallRefusalReasons).optional(),
  /** Of a provider that signs by itself: its line over the return, or its signed refusal. */
  line: z.string().max(400).optional(),
  note: z
    .string()
    .max(32 * 1024)
    .optional(),
});
type Result = z.infer<typeof resultSchema>;

export type RecallDesk = ReturnType<typeof makeRecallDesk>;

type Deps = {
  readonly participant: string;
  readonly keys: () => KeyState;
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
  /** What a provider that signs by itself was shown, by recall. */
  const prepared = new Map<string, PreparedLinked>();

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

  /** For a provider that signs by itself: the recall whole, and the return that would answer it. */
  const toBeSigned = async (recall: OpenRecall) => {
    const made = await prepareBack(recall);
    if (!("statement" in made)) return { recall: recall.note };
    prepared.set(recall.recallId, made);
    return { recall: recall.note, statement: made.statement };
  };

  const take = (recall: OpenRecall): void => {
    const { original, recallId, amount, reason, cancel } = recall;
    open.set(original, { recall });
    queue.add({
      key: recallId,
      build: async () => ({
        recallId,
        transferId: original,
        ...amount,
        reason,
        cancel,
        ...(returns.signs ? {} : await toBeSigned(recall)),
      }),
      done: (said) => {
        const now = open.get(original);
        if (now?.recall.recallId === recallId) now.said = said;
      },
    });
  };

  /** What the core agrees to. The same key again is the same return. */
  const prepareBack = ({ recallId, original, amount, cancel }: OpenRecall) => {
    const asked = {
      amount,
      reason: "FOCR",
      rate: "original",
      bearer: cancel ? "earner" : "payer",
      recallId,
    } as const;
    const body = utf8(JSON.stringify(asked));
    return returns.prepareReturn(original, `recall ${recallId}`, asked, body);
  };

  /** As a note, signed by whoever can; undefined when the provider has not. */
  const signedBack = async ({ statement }: PreparedLinked, line: string | undefined) => {
    if (returns.signs) return returns.signed(statement);
    const note = composeNote(statement, [line ?? ""]);
    const read = readNote(note);
    const own = read.ok && read.note.text === statement && (await isSigned(read.note));
    return own ? note : undefined;
  };

  const isSigned = async ({ text, signatures }: Note): Promise<boolean> =>
    (await ownSignatureFault(deps.participant, deps.keys(), text, signatures)) === undefined;

  const giveBack = async (recall: OpenRecall, { line }: Result): Promise<void> => {
    const made = prepared.get(recall.recallId) ?? (await prepareBack(recall));
    if (!("statement" in made)) {
      const code = made.ok ? undefined : made.code;
      if (code !== undefined) log.warn({ code }, "a recalled transfer is not returned");
      return;
    }
    const note = await signedBack(made, line);
    if (note === undefined) return unsigned(recall);
    await returns.submit(made, note);
  };

  /** A person of the provider can still answer, through the API. */
  const unsigned = ({ recallId }: OpenRecall): void =>
    log.warn({ recallId }, "the provider's answer to a recall is not signed as it should be");

  const refuse = async (recall: OpenRecall, { reason = "CUST", note }: Result): Promise<void> => {
    if (returns.signs) return returns.refuseRecall(recall, reason);
    const read = readNote(note ?? "");
    const own = read.ok && read.note.text === returns.refusalText(recall, reason);
    if (note === undefined || !own || !(await isSigned(read.note))) return unsigned(recall);
    return returns.sendRefusal(recall, note);
  };

  const answerOne = async (recall: OpenRecall, said: Result): Promise<boolean> => {
    if (said.answer === "later") return true;
    if (said.answer === "return") {
      await giveBack(recall, said);
      return true;
    }
    const paidOut = (await book.find(recall.original))?.status === "credited";
    if (recall.cancel && !paidOut) return false;
    await refuse(recall, said);
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
      prepared.delete(open.get(original)?.recall.recallId ?? "");
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
