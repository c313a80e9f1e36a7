// The payee's duty after the seal: tell the core to credit, until it answers, and sign about once a
// second how far it has credited. What the core refuses after the seal is an exception, named in the
// statement, and ends in a return.
import type { HttpClient } from "@sealane/http";
import { statementText } from "@sealane/protocol";
import { nextCreditRun, type CreditAnswer, type CreditRun } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import { z } from "zod";
import { makeCoreQueue } from "./core-desk.ts";
import type { SignOwn } from "./hosted-own.ts";
import { readNoteTerms } from "./note-terms.ts";
import { accountsFrom, openCommitment } from "./open-accounts.ts";
import type { Vault } from "./vault.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { ChainEntry, InboxPosition } from "./view-store.ts";
import type { TransferView } from "./views.ts";

const creditResultSchema = z.object({
  transferId: z.string(),
  status: z.enum(["credited", "refused"]),
  reason: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{3}$/)
    .optional(),
});

export type CreditOrder = {
  readonly account: string;
  readonly currency: string;
  readonly amount: string;
};

const mostOrders = 20_000;

export type CreditDesk = ReturnType<typeof makeCreditDesk>;

type Deps = {
  readonly participant: string;
  readonly origin: string;
  readonly core: HttpClient;
  readonly signOwn: SignOwn;
  readonly vault: Pick<Vault, "read">;
  readonly book: TransferBook;
  readonly chain: ChainEntry[];
  readonly position: InboxPosition;
  readonly clock: () => number;
  readonly produce: (command: Record<string, unknown>) => Promise<void>;
  readonly log: { warn(fields: object, message: string): void };
};

export const makeCreditDesk = (deps: Deps) => {
  const { participant, origin, book, chain, position, log } = deps;
  const stopping = new AbortController();
  /** How the core answered, by transfer, until a statement covers it. */
  const answers = new Map<string, CreditAnswer>();

  const queue = makeCoreQueue({
    core: deps.core,
    path: "/v1/credits",
    list: "credits",
    result: creditResultSchema,
    keyOf: ({ transferId }) => transferId,
    inFlight: 4,
    perCall: 200,
    timeoutMs: 10_000,
    lingerMs: 20,
    clock: deps.clock,
    onFailure: (detail, jobs) => log.warn({ detail, jobs }, "the core did not answer credits"),
  });

  /** What the core said yes to, until it is credited: saves opening the envelope twice. */
  const orders = new Map<string, CreditOrder>();

  /** Money that comes back goes to the account that it was sent from. */
  const returnOrder = async (
    { id, received, reason }: TransferView,
    returnOf: string,
  ): Promise<Record<string, unknown> | undefined> => {
    const of = await book.findKept(returnOf);
    const terms = of?.view.entry === undefined ? undefined : readNoteTerms(of.view.entry);
    const { payer } = await deps.vault.read(returnOf);
    if (terms === undefined || payer === undefined || received === undefined) return undefined;
    const account = openCommitment(payer, terms.payer.account);
    if (account === undefined) return undefined;
    return { transferId: id, account, ...received, returnOf, reason };
  };

  const orderOf = async (id: string): Promise<Record<string, unknown> | undefined> => {
    const known = orders.get(id);
    if (known !== undefined) return { transferId: id, ...known };
    const kept = await book.findKept(id);
    if (kept?.view.returnOf !== undefined) return returnOrder(kept.view, kept.view.returnOf);
    const terms = kept?.view.entry === undefined ? undefined : readNoteTerms(kept.view.entry);
    if (terms === undefined) return undefined;
    const { payer, payee, reference } = await deps.vault.read(id);
    if (payee === undefined) return undefined;
    const accounts = accountsFrom({ payer: payer ?? "", payee, reference }, terms);
    if (accounts === undefined) return undefined;
    const { currency, amount } = terms.receive;
    return { transferId: id, account: accounts.account, currency, amount };
  };

  /** A transfer to us is sealed: its credit is owed from now on. */
  const owe = (id: string): void => {
    if (answers.has(id)) return;
    queue.add({
      key: id,
      build: () => orderOf(id),
      done: ({ status, reason }) => {
        orders.delete(id);
        answers.set(id, { reason: status === "credited" ? undefined : (reason ?? "MS03") });
      },
    });
  };

  const nextStatement = (): CreditRun | undefined =>
    nextCreditRun(chain, position, (id) => answers.get(id));

  const say = async (statement: CreditRun): Promise<void> => {
    const text = statementText(origin, "credited", { participant, ...statement });
    const note = await deps.signOwn(text, statement.upTo);
    await deps.produce({ v: 1, kind: "credited", note });
  };

  /**
   * Lets go of the sealed entries at the front that owe nothing any more: a payer's chain owes no
   * credit at all, and would grow for ever. The last sealed one stays: the next must follow it.
   */
  const trim = (): void => {
    let count = 0;
    for (const entry of chain) {
      if (entry.n >= position.sealedTo - 1) break;
      if (entry.owesCredit && entry.n >= position.creditedTo) break;
      if (entry.transferId !== undefined) answers.delete(entry.transferId);
      position.creditedTo = Math.max(position.creditedTo, entry.n + 1);
      count += 1;
    }
    chain.splice(0, count);
  };

  /** Our own credited statement is on the log: what it covers can be forgotten. */
  const covered = (upTo: number): void => {
    position.creditedTo = Math.max(position.creditedTo, upTo + 1);
    trim();
  };

  const run = async (everyMs: number): Promise<void> => {
    let said = -1;
    let saidAtMs = 0;
    while (!stopping.signal.aborted) {
      await pause(everyMs, stopping.signal);
      const statement = nextStatement();
      if (statement === undefined) continue;
      // Said already and not on the log yet: again only after a while.
      if (statement.upTo === said && deps.clock() - saidAtMs < 10_000) continue;
      try {
        await say(statement);
        said = statement.upTo;
        saidAtMs = deps.clock();
      } catch (error) {
        log.warn({ err: error }, "the credited statement was not published, trying again");
      }
    }
  };

  return {
    /** The core can credit this: kept in memory only, and only as long as it may be needed. */
    expect: (id: string, order: CreditOrder): void => {
      orders.set(id, order);
      if (orders.size > mostOrders) orders.delete(orders.keys().next().value as string);
    },
    owe,
    covered,
    trim,
    run,
    owed: queue.size,
    oldestMs: queue.oldestMs,
    stop: (): void => {
      stopping.abort();
      queue.stop();
    },
  };
};
