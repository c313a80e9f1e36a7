// One entry with all that can be said of it: how far it got, who signed, and what this console checked
// itself. Its times are the log's, and the witnesses'; what the providers' own systems did before the
// entry has no time in the log, and none is made up.
import { LogReadError, type KeyWatch, type LogReader } from "@sealane/client";
import { creditedSchema, type Credited } from "@sealane/protocol";
import { verifyEntry } from "@sealane/rules";
import { leafHash, toBase64, utf8, type TlogPolicy } from "@sealane/tlog";
import type { CheckpointView, EntryDetail, Step, Verdict } from "./api-types.ts";
import { moneyOf, openEntry, rowOf, signersOf, type OpenedEntry } from "./entry-view.ts";
import type { LogBook } from "./log-book.ts";
import { judgeSeal } from "./log-source.ts";

export type DetailDeps = {
  readonly book: LogBook;
  readonly reader: LogReader;
  readonly policy: TlogPolicy;
  readonly origin: string;
  readonly keys: Pick<KeyWatch, "history" | "reach">;
  readonly sealed: () => CheckpointView | undefined;
  readonly firstSealed: (seq: number) => string | undefined;
};

/** A provider says "credited" about once a second: how far its statement is looked for. */
const mostSearched = 1_024;

/** Entries `from` to `to`, from memory where they are there, else from the log. @throws LogReadError */
export const readEntries = async (
  { book, reader }: Pick<DetailDeps, "book" | "reader">,
  from: number,
  to: number,
): Promise<OpenedEntry[]> => {
  const found = Array.from({ length: Math.max(0, to - from) }, (_, at) => book.get(from + at));
  if (found.every((entry) => entry !== undefined)) return found;
  const notes = await reader.entries(from, to);
  return notes.map((note, at) => openEntry(from + at, note));
};

type Credit = { readonly at: string; readonly seq: number; readonly exception?: string };

const creditIn = (entry: OpenedEntry, payee: string, n: number, id: string): Credit | undefined => {
  if (entry.kind !== "credited") return undefined;
  const said: Credited | undefined = creditedSchema.safeParse(entry.body).data;
  if (said === undefined || said.participant !== payee || said.upTo < n) return undefined;
  const exception = said.except.find((one) => one.id === id)?.reason;
  const found = { at: entry.context?.time ?? "", seq: entry.seq };
  return exception === undefined ? found : { ...found, exception };
};

const findCredit = async (deps: DetailDeps, entry: OpenedEntry, size: number) => {
  const { terms, context, seq } = entry;
  const payee = terms?.payer === undefined ? undefined : terms.payee.participant;
  const n = context?.chains.find(({ participant }) => participant === payee)?.n;
  if (payee === undefined || n === undefined) return undefined;
  const end = Math.min(seq + 1 + mostSearched, Math.max(size, deps.book.end() ?? 0));
  for (let from = seq + 1; from < end; from += 128) {
    for (const next of await readEntries(deps, from, Math.min(end, from + 128))) {
      const credit = creditIn(next, payee, n, terms?.id ?? "");
      if (credit !== undefined) return credit;
    }
  }
  return undefined;
};

const endings: Readonly<Record<string, string>> = {
  rejected: "The payee's provider refused, and signed why",
  expired: "Nobody answered before the terms expired",
  cancelled: "The payer's provider took it back",
};

const sealStep = (
  entry: OpenedEntry,
  sealed: CheckpointView | undefined,
  at: string | undefined,
): Step => {
  if (sealed === undefined || entry.seq >= sealed.size) {
    return { name: "Sealed", state: "waiting", detail: "No quorum of witnesses covers it yet" };
  }
  const names = sealed.cosignedBy.map(({ name }) => name).join(", ");
  if (at !== undefined) {
    const detail = "A quorum of witnesses cosigned: their clocks, in whole seconds";
    return { name: "Sealed", state: "done", at, detail };
  }
  // The first seal was before the console looked: the newest one proves as much.
  const detail = `Under the checkpoint of ${sealed.size} entries, cosigned by ${names}`;
  return { name: "Sealed", state: "done", detail };
};

const creditStep = (entry: OpenedEntry, credit: Credit | undefined): Step => {
  const payee = entry.terms?.payee.participant ?? "the payee's provider";
  if (credit === undefined) {
    return { name: "Credited", state: "waiting", detail: `${payee} has not said so yet` };
  }
  const detail =
    credit.exception === undefined
      ? `${payee} signed that it is credited, entry ${credit.seq}`
      : `${payee} could not credit it: ${credit.exception}, entry ${credit.seq}`;
  const state = credit.exception === undefined ? "done" : "failed";
  return { name: "Credited", state, at: credit.at, detail };
};

/** How far a transfer got. Pure. */
export const stepsOf = (
  entry: OpenedEntry,
  sealed: CheckpointView | undefined,
  sealedAt: string | undefined,
  credit: Credit | undefined,
): Step[] => {
  const { context, terms, seq } = entry;
  const at = context?.time ?? "";
  const here = `Entry ${seq}, by the ledger's log time`;
  if (terms === undefined)
    return [{ name: "Logged", state: "done", at, detail: here }, sealStep(entry, sealed, sealedAt)];
  const intent: Step = {
    name: "Intent",
    state: "done",
    detail: `${terms.payer.participant} signed the terms`,
  };
  if (context?.outcome !== "committed") {
    const why = endings[context?.outcome ?? ""] ?? "It did not go through";
    const name = (context?.outcome ?? "ended").replace(/^./, (first) => first.toUpperCase());
    return [
      intent,
      { name, state: "failed", at, detail: `${why}. ${here}` },
      sealStep(entry, sealed, sealedAt),
    ];
  }
  const accepted = `${terms.payee.participant} signed the same terms: a yes that binds it`;
  return [
    intent,
    { name: "Accepted", state: "done", detail: accepted },
    { name: "Committed", state: "done", at, detail: here },
    sealStep(entry, sealed, sealedAt),
    creditStep(entry, credit),
  ];
};

const judgeSignatures = async (deps: DetailDeps, entry: OpenedEntry): Promise<Verdict> => {
  const cited = entry.context?.keys.size ?? 0;
  await deps.keys.reach(cited);
  const history = deps.keys.history();
  if (history === undefined) return { ok: false, detail: "the key log has not been read yet" };
  const judged = verifyEntry(entry.note, { origin: deps.origin, history, signatures: true });
  if (!judged.ok) return { ok: false, detail: `${judged.code}: ${judged.detail}` };
  return {
    ok: true,
    detail: `signatures, policy, postings and chains hold under the key log's first ${cited} entries`,
  };
};

const termsView = ({ terms }: OpenedEntry): Pick<EntryDetail, "terms"> => {
  if (terms === undefined) return {};
  const { send, receive, sheet } = terms;
  return {
    terms: {
      fixed: terms.fixed,
      fees: terms.fees.map((fee) => ({ to: fee.to, amount: moneyOf(fee) })),
      converted: moneyOf({ currency: send.currency, amount: terms.converted }),
      rate: terms.rate,
      residue: { currency: receive.currency, amount: terms.residue },
      sheetProvider: sheet.provider,
      sheetNumber: sheet.number,
      policy: terms.policy,
      quote: terms.quote,
      expiresAt: terms.expiresAt,
      payerAccount: terms.payer.account,
      payeeAccount: terms.payee.account,
    },
  };
};

/** @throws LogReadError only where the entry itself cannot be read */
export const describeEntry = async (deps: DetailDeps, entry: OpenedEntry): Promise<EntryDetail> => {
  const { seq, note, context, terms } = entry;
  const sealed = deps.sealed();
  const covering = sealed !== undefined && seq < sealed.size ? sealed : undefined;
  const [seal, signatures, credit] = await Promise.all([
    judgeSeal(deps.reader, deps.policy, covering, seq, note),
    judgeSignatures(deps, entry),
    findCredit(deps, entry, sealed?.size ?? 0).catch((error: unknown) => {
      if (error instanceof LogReadError) return undefined;
      throw error;
    }),
  ]);
  const bytes = utf8(note);
  return {
    ...rowOf(entry, sealed?.size ?? 0),
    note,
    bytes: bytes.length,
    leafHash: toBase64(leafHash(bytes)),
    keysSize: context?.keys.size ?? 0,
    rules: context?.rules ?? 0,
    chains: (context?.chains ?? []).map(({ participant, n }) => ({ participant, n })),
    postings: (context?.postings ?? []).map(({ debit, credit: to, currency, amount }) => ({
      debit,
      credit: to,
      amount: moneyOf({ currency, amount }),
    })),
    ...termsView(entry),
    ...(entry.linked === undefined ? {} : { linked: entry.linked }),
    links: entry.transferId === undefined ? [] : deps.book.linkedTo(entry.transferId),
    steps: stepsOf(entry, covering, deps.firstSealed(seq), credit),
    signers: signersOf(note, terms),
    signatures,
    seal,
    cosignedBy: covering?.cosignedBy ?? [],
    ...(covering === undefined ? {} : { checkpointSize: covering.size }),
  };
};
