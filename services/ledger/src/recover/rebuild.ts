// From published entries to what the lane's tables must say: the auditors' fold over all of them, and
// beside it what the fold does not keep. Nothing is written here, and nothing is believed: a place, a
// chain, a signature or a root that does not fit ends it with its position.
import type { EntryContext } from "@sealane/protocol";
import {
  auditEntry,
  auditRoot,
  beginAudit,
  creditOwed,
  type AuditState,
  type KeyHistory,
  type SignatureJudge,
  type Uncredited,
  type VerifiedEntry,
} from "@sealane/rules";
import { fromUtf8, toBase64, verifierFor } from "@sealane/tlog";
import { RecoverFault } from "./recover-fault.ts";

export type EndedRow = {
  readonly id: string;
  readonly request: string | undefined;
  readonly payer: string;
  readonly seq: number;
  readonly outcome: EntryContext["outcome"];
  readonly timeMs: number;
};

/** An entry that participants are told again, and about how long it is in a message. */
export type Retold = { readonly seq: number; readonly chars: number };

export type Rebuilt = {
  readonly state: AuditState;
  readonly leafHashes: readonly Uint8Array[];
  readonly ended: readonly EndedRow[];
  readonly quotes: readonly { readonly quote: string; readonly id: string }[];
  /** Committed and not yet signed as credited, by payee. */
  readonly uncredited: ReadonlyMap<string, readonly Uncredited[]>;
  readonly retold: ReadonlyMap<string, readonly Retold[]>;
};

/** A size of the log, and the root that somebody else knows for it. */
export type KnownRoot = { readonly size: number; readonly root: string; readonly by: string };

export type RebuildOptions = {
  readonly origin: string;
  readonly history: KeyHistory;
  /** The entries from a place on, as many as are at hand; none where the log ends. */
  readonly page: (from: number) => Promise<readonly Uint8Array[]>;
  /** Below this place an audit of the same root has judged every signature. */
  readonly judgedTo: number;
  readonly roots: readonly KnownRoot[];
  /** Entries from this place on are told again. */
  readonly retellFrom: number;
};

type Folding = {
  readonly options: RebuildOptions;
  readonly state: AuditState;
  readonly leafHashes: Uint8Array[];
  readonly ended: EndedRow[];
  readonly quotes: { quote: string; id: string }[];
  readonly uncredited: Map<string, Uncredited[]>;
  readonly retold: Map<string, Retold[]>;
};

const tellAgain = (
  { retold }: Folding,
  participants: Iterable<string>,
  seq: number,
  chars: number,
): void => {
  for (const participant of new Set(participants)) {
    const list = retold.get(participant);
    if (list === undefined) retold.set(participant, [{ seq, chars }]);
    else list.push({ seq, chars });
  }
};

/** Whoever the lane told of an entry: those of its chains, and whom a sheet or a credit concerns. */
const concerned = (folding: Folding, entry: VerifiedEntry, covered: readonly Uncredited[]) => {
  const own = entry.context.chains.map(({ participant }) => participant);
  if (entry.sheet === undefined && entry.withdrawal === undefined) {
    return [...own, ...covered.map(({ payer }) => payer)];
  }
  const { history } = folding.options;
  return [...own, ...(history.states.at(-1)?.participants.keys() ?? [])];
};

/** Takes what a credited statement covers out of what waits for it. */
const takeCovered = ({ uncredited }: Folding, { credited }: VerifiedEntry): Uncredited[] => {
  if (credited === undefined) return [];
  const waiting = uncredited.get(credited.participant) ?? [];
  const next = waiting.findIndex(({ n }) => n > credited.upTo);
  return waiting.splice(0, next < 0 ? waiting.length : next);
};

/** Who waits under an id: the payer, or whoever made the return or the recall. */
const askerOf = ({ terms, advance, returns, context }: VerifiedEntry): string => {
  const made = returns?.body.participant ?? advance?.participant;
  return terms?.payer.participant ?? made ?? context.chains[0]?.participant ?? "";
};

const noteEnd = (folding: Folding, entry: VerifiedEntry): void => {
  const { ended, quotes, uncredited } = folding;
  const { context, terms, timeMs } = entry;
  const id = entry.transferId ?? entry.advance?.id;
  if (id === undefined) return;
  const { seq, outcome } = context;
  ended.push({ id, request: terms?.request, payer: askerOf(entry), seq, outcome, timeMs });
  if (terms !== undefined && terms.quote !== id) quotes.push({ quote: terms.quote, id });
  const credit = creditOwed(entry);
  if (credit === undefined) return;
  const waiting = uncredited.get(credit.payee) ?? [];
  waiting.push(credit.owed);
  uncredited.set(credit.payee, waiting);
};

const checkRoots = ({ options, state }: Folding): void => {
  for (const { size, root, by } of options.roots) {
    if (size !== state.next || toBase64(auditRoot(state)) === root) continue;
    const message = `at ${size} entries the log is not the one that ${by} has`;
    throw new RecoverFault("log-forked", message, size);
  }
};

/** What is thrown is a fault of the entry too: nothing else went in. */
const judge = (state: AuditState, bytes: Uint8Array) => {
  try {
    return auditEntry(state, fromUtf8(bytes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RecoverFault("entry-malformed", why, state.next, cause);
  }
};

const take = (folding: Folding, bytes: Uint8Array): void => {
  const { state, options, leafHashes } = folding;
  const result = judge(state, bytes);
  if (!result.ok) {
    const message = `entry ${result.position} does not stand: ${result.detail} (${result.code})`;
    throw new RecoverFault(result.code, message, result.position);
  }
  const { entry, leafHash } = result;
  leafHashes.push(leafHash);
  noteEnd(folding, entry);
  const covered = takeCovered(folding, entry);
  const { seq } = entry.context;
  if (seq >= options.retellFrom) {
    tellAgain(folding, concerned(folding, entry, covered), seq, bytes.length);
  }
  checkRoots(folding);
};

/** Folds every entry that there is. @throws RecoverFault */
export const rebuild = async (options: RebuildOptions): Promise<Rebuilt> => {
  const { origin, history, judgedTo, page } = options;
  const verify: SignatureJudge = (key, text, signature) =>
    state.next < judgedTo || verifierFor(key).verify(text, signature);
  const state = beginAudit({ origin, history, signatures: true, verify });
  const folding: Folding = {
    options,
    state,
    leafHashes: [],
    ended: [],
    quotes: [],
    uncredited: new Map(),
    retold: new Map(),
  };
  for (;;) {
    const entries = await page(state.next);
    if (entries.length === 0) break;
    for (const bytes of entries) take(folding, bytes);
  }
  for (const { size, by } of options.roots) {
    if (size <= state.next) continue;
    const message = `${by} has seen ${size} entries, and only ${state.next} are at hand`;
    throw new RecoverFault(
      "entries-missing",
      `${message}: give a newer copy with --from`,
      state.next,
    );
  }
  return folding;
};
