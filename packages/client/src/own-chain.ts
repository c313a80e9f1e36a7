// A provider's own chain as its core follows it, when its adapter is hosted: entry by entry, each naming
// the one before by its hash, so that a statement "credited up to n" is signed for one history, all of
// which the provider has seen. Pure: what is kept is small, and the caller keeps it.
import {
  chainStatementSchema,
  creditedSchema,
  entryContextSchema,
  headerOf,
  readNote,
  readStatement,
  returnSchema,
  termsSchema,
  zeroHash,
  type ChainStatement,
  type Credited,
} from "@sealane/protocol";
import { readOriginal } from "@sealane/rules";
import { leafHash, toBase64 } from "@sealane/tlog";
import { readUnsigned } from "./check-terms.ts";
import { fault, type StatementFault } from "./statement-refusal.ts";

/** One own entry: its number, its leaf hash, and the log's size when it was the newest. */
type Place = { readonly n: number; readonly head: string; readonly size: number };

/** What the provider remembers of its chain. */
export type OwnChain = {
  /** Number of the next entry. */
  readonly next: number;
  /** Leaf hash of the last one, base64. */
  readonly head: string;
  /** The newest entries, oldest first: a statement may be about one that is not the last. */
  readonly recent: readonly Place[];
  /** Transfers to the provider that no statement on the log covers yet, oldest first. */
  readonly uncovered: readonly { readonly id: string; readonly n: number }[];
};

/** What a hosted adapter shows, and perhaps wants signed. */
export type ShownEntries = {
  /** Number of the first entry. */
  readonly from: number;
  readonly entries: readonly string[];
  /** The text of a credited statement about everything up to the last of them. */
  readonly statement?: string | undefined;
};

/** How the core ended a credit; undefined when it has not. */
export type CreditOutcome =
  | { readonly status: "credited" }
  | { readonly status: "refused"; readonly reason: string }
  | undefined;

export const noChain: OwnChain = { next: 0, head: zeroHash, recent: [], uncovered: [] };

/** A provider that only pays is asked once a day: far more than it sends in between is shown anew. */
const mostRecent = 20_000;

type Step = { readonly ok: true; readonly own: OwnChain; readonly place: Place } | StatementFault;

/** What one inner note does to the list of uncovered transfers. */
const covered = (
  { uncovered }: OwnChain,
  inner: string,
  outcome: string,
  participant: string,
  n: number,
): OwnChain["uncovered"] => {
  const kind = headerOf(inner)?.kind;
  const note = readNote(inner);
  if (!note.ok) return uncovered;
  if (kind === "transfer" && outcome === "committed") {
    const terms = readStatement(note.note, "transfer", termsSchema);
    if (!terms.ok || terms.statement.body.payee.participant !== participant) return uncovered;
    return [...uncovered, { id: terms.statement.body.id, n }];
  }
  if (kind === "return") {
    const back = readStatement(note.note, "return", returnSchema);
    if (!back.ok) return uncovered;
    const { origin, body, inner: entry } = back.statement;
    const to = readOriginal(origin, entry ?? "")?.terms.payer.participant;
    return to === participant ? [...uncovered, { id: body.id, n }] : uncovered;
  }
  if (kind !== "credited") return uncovered;
  const said = readStatement(note.note, "credited", creditedSchema);
  if (!said.ok || said.statement.body.participant !== participant) return uncovered;
  return uncovered.filter((one) => one.n > said.statement.body.upTo);
};

const follow = (own: OwnChain, entry: string, origin: string, participant: string): Step => {
  const note = readNote(entry);
  const read = note.ok ? readStatement(note.note, "entry", entryContextSchema) : undefined;
  if (read?.ok !== true || read.statement.inner === undefined) {
    return fault("statement-malformed", `entry ${own.next} cannot be read`);
  }
  const { body, inner, origin: log } = read.statement;
  if (log !== origin) return fault("wrong-log", `an entry of ${log}`);
  const link = body.chains.find((one) => one.participant === participant);
  if (link?.n !== own.next || link.prev !== own.head) {
    return fault("statement-malformed", `it does not follow entry ${own.next - 1} of our chain`);
  }
  const head = toBase64(leafHash(entry));
  return {
    ok: true,
    place: { n: own.next, head, size: body.seq + 1 },
    own: {
      next: own.next + 1,
      head,
      recent: own.recent,
      uncovered: covered(own, inner, body.outcome, participant, link.n),
    },
  };
};

/** Takes what is shown. Entries that do not begin at `next` are not taken, and nothing is wrong. */
export const takeEntries = (
  own: OwnChain,
  { from, entries }: ShownEntries,
  origin: string,
  participant: string,
): { readonly ok: true; readonly own: OwnChain } | StatementFault => {
  if (from !== own.next) return { ok: true, own };
  const places: Place[] = [];
  let now = own;
  for (const entry of entries) {
    const step = follow(now, entry, origin, participant);
    if (!step.ok) return step;
    now = step.own;
    places.push(step.place);
  }
  return { ok: true, own: { ...now, recent: [...own.recent, ...places].slice(-mostRecent) } };
};

/** The entry that a statement names, if it is one that was shown, by that hash. */
const placeOf = (own: OwnChain, n: number, head: string): Place | StatementFault => {
  const place = own.recent.find((one) => one.n === n);
  if (place?.head === head) return place;
  return fault("statement-malformed", `it is about another entry ${n} than was shown`);
};

type Judge = {
  readonly origin: string;
  readonly participant: string;
  /** How the core ended the credit of a transfer. */
  readonly outcomeOf: (transferId: string) => CreditOutcome;
};

const notOurs = fault("statement-malformed", "it is not this provider's");

const checkCredited = (own: OwnChain, text: string, judge: Judge): StatementFault | undefined => {
  const read = readUnsigned<Credited>(text, "credited", creditedSchema, judge.origin);
  if (!read.ok) return read;
  const { body, inner } = read;
  if (inner !== undefined || body.participant !== judge.participant) return notOurs;
  const place = placeOf(own, body.upTo, body.head);
  if ("ok" in place) return place;
  const excepted = new Map(body.except.map((one) => [one.id, one]));
  for (const { id, n } of own.uncovered) {
    if (n > body.upTo) break;
    const outcome = judge.outcomeOf(id);
    if (outcome === undefined) return fault("credit-unknown", `${id} is not credited yet`);
    const exception = excepted.get(id);
    excepted.delete(id);
    const right =
      outcome.status === "credited"
        ? exception === undefined
        : exception?.n === n && exception.reason === outcome.reason;
    if (!right) return fault("reason-mismatch", `${id} is said to be what it is not`);
  }
  const [more] = excepted.keys();
  if (more === undefined) return undefined;
  return fault("credit-unknown", `${more} is excepted for nothing`);
};

/** "These are all my entries": of a chain that was followed from its beginning, any part is. */
const checkChain = (own: OwnChain, text: string, judge: Judge): StatementFault | undefined => {
  const read = readUnsigned<ChainStatement>(text, "statement", chainStatementSchema, judge.origin);
  if (!read.ok) return read;
  const { body, inner } = read;
  if (inner !== undefined || body.participant !== judge.participant) return notOurs;
  const place = placeOf(own, body.to, body.head);
  if ("ok" in place) return place;
  const fits = body.from <= body.to && body.size === place.size;
  return fits ? undefined : fault("statement-malformed", `entry ${body.to} stands elsewhere`);
};

/**
 * Checks what the provider is asked to say of its own chain, against the chain that it has followed and
 * what its core has done.
 * @returns undefined when it may be signed
 */
export const checkOwnStatement = (
  own: OwnChain,
  statement: string,
  judge: Judge,
): StatementFault | undefined => {
  const kind = headerOf(statement)?.kind;
  if (kind === "credited") return checkCredited(own, statement, judge);
  if (kind === "statement") return checkChain(own, statement, judge);
  return fault("statement-malformed", `nobody signs a ${kind ?? "text without a kind"} here`);
};
