// The payee's side of a proposal: check the terms, ask the core whether it can credit, and sign yes or
// no. Asked again, it answers the same: a signature over the same bytes is the same signature.
import type { KeyWatch } from "@sealane/client";
import type { HttpClient } from "@sealane/http";
import {
  parseTime,
  readNote,
  readStatement,
  termsSchema,
  type ProposalItem,
} from "@sealane/protocol";
import { checkPrice, keyIndex } from "@sealane/rules";
import { verifyOffThread, type EnvelopeOpener } from "@sealane/signer";
import { utf8 } from "@sealane/tlog";
import { z } from "zod";
import type { CreditOrder } from "./credit-desk.ts";
import type { SheetBook } from "./sheet-book.ts";
import { readAccounts, type OpenedAccounts } from "./open-accounts.ts";
import { resultSchema, type Answer, type Proposal } from "./proposal.ts";
import type { ProviderAnswers } from "./provider-answers.ts";

type Deps = {
  readonly participant: string;
  readonly origin: string;
  readonly keys: Pick<KeyWatch, "state" | "reach">;
  readonly sheets: SheetBook;
  readonly answers: ProviderAnswers;
  readonly openEnvelope: EnvelopeOpener;
  readonly core: HttpClient;
  readonly clock: () => number;
  readonly answer: (answers: readonly Answer[]) => void;
  /** The core has said that it can credit this. */
  readonly expect: (id: string, order: CreditOrder) => void;
  readonly log: { warn(fields: object, message: string): void };
};

const resultsSchema = z.object({ results: z.array(resultSchema) });

const checksInFlight = 6;
const checksPerCall = 200;
const checkTimeoutMs = 5_000;

export const makePayeeDesk = (deps: Deps) => {
  const { participant, origin, core, clock, log } = deps;
  const inFlight = new Set<string>();
  const waiting: ({ readonly proposal: Proposal } & OpenedAccounts)[] = [];
  const alone: typeof waiting = [];
  let calls = 0;

  const judge = async ({ terms, note }: Proposal): Promise<string | undefined> => {
    if (terms.payee.participant !== participant) return "RC04";
    if (clock() >= parseTime(terms.expiresAt)) return "AB05";
    // A key that we have not read of yet is new: the ledger proposes under the key log of now.
    const unread = note.signatures.some(
      ({ name, keyId }) => !deps.keys.state().keys.has(keyIndex(name, keyId)),
    );
    if (unread) await deps.keys.reach(deps.keys.state().size + 1);
    const keys = deps.keys.state();
    const signed = await Promise.all(
      note.signatures.map(async ({ name, keyId, signature }) => {
        const key = keys.keys.get(keyIndex(name, keyId));
        if (key === undefined || key.revokedAt !== undefined || key.purpose !== "transfer")
          return false;
        if (key.participant !== terms.payer.participant) return false;
        return verifyOffThread(key.key.publicKey, utf8(note.text), signature);
      }),
    );
    if (!signed.includes(true)) return "DS0B";
    const sheet = deps.sheets.byHash(terms.sheet.hash);
    if (sheet === undefined) return undefined; // logged before we looked: the ledger has checked it
    const schedule = keys.schedules.get(terms.fees[0]?.schedule ?? "");
    return checkPrice(terms, sheet.sheet, schedule) === undefined ? undefined : "AM09";
  };

  const ask = async (batch: typeof waiting): Promise<void> => {
    const checks = batch.map(({ proposal, ...opened }) => ({
      transferId: proposal.terms.id,
      account: opened.account,
      currency: proposal.terms.receive.currency,
      amount: proposal.terms.receive.amount,
      ...(opened.reference === undefined ? {} : { reference: opened.reference }),
      ...deps.answers.more(proposal, opened),
    }));
    const body = JSON.stringify({ checks });
    const reply = await core.post("/v1/credit-checks", body, { timeoutMs: checkTimeoutMs });
    if (reply.outcome !== "ok" || reply.status !== 200) {
      const detail = reply.outcome === "ok" ? `status ${reply.status}` : reply.error.message;
      log.warn({ detail, checks: checks.length }, "the core did not answer credit checks");
      // One account that the core chokes on must not hold up the others: ask each alone.
      if (batch.length > 1) for (const one of batch) alone.push(one);
      return; // alone and unanswered: the ledger proposes again until it expires
    }
    const parsed = resultsSchema.safeParse(JSON.parse(reply.body));
    if (!parsed.success) {
      log.warn({ detail: parsed.error.message }, "the core answered what cannot be read");
      return;
    }
    const byId = new Map(parsed.data.results.map((result) => [result.transferId, result]));
    const answers = await Promise.all(
      batch.flatMap(({ proposal, account }) => {
        const { id, receive } = proposal.terms;
        const result = byId.get(id);
        if (result === undefined) return [];
        if (result.answer === "yes") deps.expect(id, { account, ...receive });
        return [deps.answers.answer(proposal, result)];
      }),
    );
    const signed = answers.filter((answer) => answer !== undefined);
    if (signed.length > 0) deps.answer(signed);
  };

  const run = (batch: typeof waiting): void => {
    calls += 1;
    ask(batch)
      .catch((err: unknown) => log.warn({ err }, "credit checks failed"))
      .finally(() => {
        calls -= 1;
        const again = new Set(alone.map(({ proposal }) => proposal.terms.id));
        for (const { proposal } of batch) {
          if (!again.has(proposal.terms.id)) inFlight.delete(proposal.terms.id);
        }
        pump();
      });
  };

  const pump = (): void => {
    // One call stays free for the rest, whatever the suspects do.
    while (calls < checksInFlight - 1 && alone.length > 0) run(alone.splice(0, 1));
    while (calls < checksInFlight && waiting.length > 0) run(waiting.splice(0, checksPerCall));
  };

  /** Reads a proposal; undefined when it is none of ours to answer. */
  const read = (item: ProposalItem): Proposal | undefined => {
    const note = readNote(item.note);
    if (!note.ok) return undefined;
    const terms = readStatement(note.note, "transfer", termsSchema);
    if (!terms.ok || terms.statement.origin !== origin) return undefined;
    return {
      terms: terms.statement.body,
      note: note.note,
      raw: item.note,
      accounts: readAccounts(deps.openEnvelope, item.envelope, terms.statement.body),
      trace: item.trace,
    };
  };

  const consider = async (proposal: Proposal): Promise<void> => {
    const { terms, accounts } = proposal;
    const reason = await judge(proposal);
    if (reason === undefined && accounts !== undefined) {
      waiting.push({ proposal, ...accounts });
      pump();
      return;
    }
    inFlight.delete(terms.id);
    // What cannot be opened names no account that could be credited.
    const refused = await deps.answers.refuse(proposal, reason ?? "AC03");
    if (refused !== undefined) deps.answer([refused]);
  };

  return {
    read,
    /** Answers in its own time; the same proposal is not asked twice at once. */
    take: (proposal: Proposal): void => {
      const { id } = proposal.terms;
      if (inFlight.has(id)) return;
      inFlight.add(id);
      consider(proposal).catch((err: unknown) => {
        inFlight.delete(id);
        log.warn({ err }, "a proposal could not be considered");
      });
    },
    inFlight: () => inFlight.size,
  };
};
