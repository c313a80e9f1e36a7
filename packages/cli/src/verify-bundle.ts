// A bundle, judged by a pinned policy and nothing else: the key log once, every receipt as if it came
// alone, sheets, disclosures, and, for a participant's export, that nothing is missing. The first fault
// refuses the whole of it, with the line. Pure and offline; it runs in a browser too.
import { verifyKeyLog, type KeyHistory, rootFault, type PinnedRoots } from "@sealane/rules";
import {
  chainStatementSchema,
  noteHash,
  parseTime,
  readNote,
  readStatement,
  zeroHash,
  type ChainLink,
  type Terms,
} from "@sealane/protocol";
import {
  checkCheckpoint,
  equalBytes,
  fromBase64,
  fromUtf8,
  leafHash,
  sha256,
  TlogError,
  toBase64,
  type TlogPolicy,
} from "@sealane/tlog";
import {
  BundleFault,
  parseBundle,
  type Bundle,
  type ChainClaim,
  type Disclosure,
  type DisclosureField,
  type Placed,
} from "./bundle-format.ts";
import { judgeSealed, termsOf } from "./verify-receipt.ts";
import { lineFault, verifySeal, type SealedEntry } from "./verify-seal.ts";
import { questions, type ReceiptFacts, type Verdict } from "./verify-types.ts";

/** What a disclosure reveals, once its commitment was found in the terms. */
export type Revealed = { readonly field: DisclosureField; readonly value: string };

/** Up to where both the operator and the participant have said that this is all. */
export type Completeness = {
  readonly time: string;
  /** Number of the statement's own entry. */
  readonly n: number;
};

export type ChainVerdict = ChainClaim & {
  readonly entries: number;
  readonly complete: Completeness | undefined;
};

export type JudgedReceipt = {
  readonly facts: ReceiptFacts | undefined;
  readonly checks: Verdict["checks"];
  readonly revealed: readonly Revealed[];
};

export type BundleVerdict =
  | {
      readonly ok: true;
      readonly keysSize: number;
      readonly receipts: readonly JudgedReceipt[];
      readonly chain: ChainVerdict | undefined;
    }
  | {
      readonly ok: false;
      readonly code: string;
      readonly line: number;
      readonly detail: string;
    };

type Judged = {
  readonly line: number;
  readonly sealed: SealedEntry;
  readonly verdict: Verdict;
  /** Of a committed transfer. */
  readonly terms: Terms | undefined;
};

/** Runs what throws TlogErrors, to blame a line for them. */
const at = <T>(line: number, run: () => T): T => {
  try {
    return run();
  } catch (error) {
    if (error instanceof TlogError) throw new BundleFault(error.code, line, error.message);
    throw error;
  }
};

const judgeKeys = ({ keyCheckpoint, keyEntries }: Bundle, policy: TlogPolicy): KeyHistory => {
  const { note, line } = keyCheckpoint;
  const verified = verifyKeyLog(policy, note, keyEntries);
  if (!verified.ok) throw new BundleFault(verified.code, line, `the key log: ${verified.detail}`);
  const extra = at(line, () => lineFault(policy, note, checkCheckpoint(policy, note)));
  if (extra !== undefined) throw new BundleFault(extra.code, line, extra.detail);
  return verified.history;
};

const judgeReceipts = (bundle: Bundle, policy: TlogPolicy, history: KeyHistory): Judged[] => {
  const sheets = new Map(bundle.sheets.map(({ note }) => [noteHash(note), note]));
  return bundle.receipts.map(({ bytes, line }) => {
    const seal = verifySeal(bytes, policy);
    if (!seal.ok) throw new BundleFault(seal.code, line, seal.detail);
    const { sealed } = seal;
    const terms = sealed.context.outcome === "committed" ? termsOf(sealed.inner) : undefined;
    const sheet = terms === undefined ? undefined : sheets.get(terms.sheet.hash);
    if (terms !== undefined && sheet === undefined) {
      const detail = `sheet ${terms.sheet.number} of ${terms.sheet.provider} is not in the bundle`;
      throw new BundleFault("sheet-missing", line, detail);
    }
    const keys = { history, sheets: sheet === undefined ? [] : [sheet] };
    const verdict = judgeSealed(sealed, { policy, keys });
    for (const question of questions) {
      const check = verdict.checks[question];
      if (check.status === "failed") {
        throw new BundleFault(check.code, line, `${question}: ${check.detail}`);
      }
    }
    return { line, sealed, verdict, terms };
  });
};

/** One set of receipts has one order, so that a line that was moved is noticed. */
const refuseDisorder = (judged: readonly Judged[]): void => {
  for (const [place, { sealed, line }] of judged.entries()) {
    const before = judged[place - 1]?.sealed;
    if (before === undefined || before.origin < sealed.origin) continue;
    if (before.origin === sealed.origin && before.context.seq < sealed.context.seq) continue;
    throw new BundleFault("order-broken", line, "receipts are sorted by log and place, each once");
  }
};

const refuseOtherSheets = ({ sheets }: Bundle, judged: readonly Judged[]): void => {
  const cited = new Set(judged.flatMap(({ terms }) => terms?.sheet.hash ?? []));
  const wanted = [...cited];
  for (const [place, { note, line }] of sheets.entries()) {
    if (noteHash(note) === wanted[place]) continue;
    throw new BundleFault("sheet-unexpected", line, "not the next sheet that a transfer cites");
  }
};

const commitmentOf = (terms: Terms, field: DisclosureField): string | undefined =>
  field === "reference" ? terms.reference : terms[field].account;

const reveal = (
  { transferId, field, opening, line }: Placed<Disclosure>,
  judged: readonly Judged[],
): Revealed => {
  const terms = judged.find(({ terms: found }) => found?.id === transferId)?.terms;
  const no = (code: string, detail: string) => new BundleFault(code, line, detail);
  if (terms === undefined) throw no("disclosure-stray", `no committed transfer ${transferId} here`);
  const commitment = commitmentOf(terms, field);
  if (commitment === undefined) throw no("disclosure-stray", `its terms have no ${field}`);
  if (!equalBytes(sha256(opening), fromBase64(commitment))) {
    throw no("disclosure-mismatch", `that is not the ${field} that was committed to`);
  }
  return { field, value: at(line, () => fromUtf8(opening.slice(32))) };
};

const revealAll = ({ disclosures }: Bundle, judged: readonly Judged[]) => {
  const revealed = new Map<string, Revealed[]>();
  let last = "";
  for (const disclosure of disclosures) {
    const { transferId, field, line } = disclosure;
    const place = `${transferId} ${field}`;
    if (place <= last) throw new BundleFault("order-broken", line, "disclosures are not sorted");
    last = place;
    const list = revealed.get(transferId) ?? [];
    revealed.set(transferId, [...list, reveal(disclosure, judged)]);
  }
  return revealed;
};

type Link = { readonly link: ChainLink; readonly hash: string } & Judged;

/** Every receipt is the participant's next entry, and follows the one before. */
const judgeLinks = (claim: Placed<ChainClaim>, judged: readonly Judged[]): Link[] => {
  const { participant, origin, first, last } = claim;
  const links: Link[] = [];
  for (const [place, one] of judged.entries()) {
    const { sealed, line } = one;
    const no = (detail: string): BundleFault => new BundleFault("chain-broken", line, detail);
    if (sealed.origin !== origin) throw no(`an entry of ${sealed.origin}`);
    const link = sealed.context.chains.find((chain) => chain.participant === participant);
    const n = first + place;
    if (link === undefined) throw no(`not an entry of ${participant}`);
    if (link.n !== n) throw no(`entry ${link.n} of ${participant}, where ${n} should be`);
    const before = links.at(-1);
    const prev = before?.hash ?? (n === 0 ? zeroHash : link.prev);
    if (link.prev !== prev) throw no(`entry ${n} follows another entry ${n - 1}`);
    if (before !== undefined) {
      const earlier = parseTime(before.sealed.context.time) > parseTime(sealed.context.time);
      if (earlier) throw no(`entry ${n} is earlier than entry ${n - 1}`);
    }
    links.push({ ...one, link, hash: toBase64(leafHash(sealed.note)) });
  }
  const found = links.at(-1)?.link.n;
  if (found === last) return links;
  throw new BundleFault("chain-broken", claim.line, `it ends with entry ${found}, not ${last}`);
};

const statementOf = ({ sealed }: Judged) => {
  const note = readNote(sealed.inner);
  const read = note.ok ? readStatement(note.note, "statement", chainStatementSchema) : undefined;
  return read?.ok === true ? read.statement.body : undefined;
};

/** A statement names entries that are here: they must be those that it means. */
const judgeStatement = (
  said: ReturnType<typeof statementOf> & object,
  links: readonly Link[],
  { link: own, line }: Link,
): void => {
  const no = (detail: string): BundleFault => new BundleFault("statement-mismatch", line, detail);
  if (said.to >= own.n) throw no(`it speaks of entry ${said.to}, and is entry ${own.n} itself`);
  const named = links.find(({ link }) => link.n === said.to);
  if (named === undefined) return; // before the first one here
  if (named.hash !== said.head) throw no(`it names another entry ${said.to}`);
  if (named.sealed.context.seq + 1 !== said.size) throw no(`entry ${said.to} is at another place`);
};

const judgeChain = (claim: Placed<ChainClaim>, judged: readonly Judged[]): ChainVerdict => {
  const { line: _, ...said } = claim;
  const links = judgeLinks(claim, judged);
  let complete: Completeness | undefined;
  for (const link of links) {
    const statement = statementOf(link);
    if (statement?.participant !== claim.participant) continue;
    judgeStatement(statement, links, link);
    if (claim.first === 0) complete = { time: link.sealed.context.time, n: link.link.n };
  }
  return { ...said, entries: links.length, complete };
};

/**
 * Verifies a bundle offline.
 * @param text the whole file (`docs/formats/bundle.md`)
 * @param roots root keys that were pinned, if any
 * @example verifyBundle(readFileSync(path, "utf8"), parsePolicy(policy)).ok
 */
export const verifyBundle = (
  text: string,
  policy: TlogPolicy,
  roots?: PinnedRoots,
): BundleVerdict => {
  try {
    const bundle = parseBundle(text);
    const history = judgeKeys(bundle, policy);
    const stranger = roots === undefined ? undefined : rootFault(history, roots);
    if (stranger !== undefined) return { ok: false, line: 1, ...stranger };
    const judged = judgeReceipts(bundle, policy, history);
    refuseDisorder(judged);
    refuseOtherSheets(bundle, judged);
    const revealed = revealAll(bundle, judged);
    const receipts = judged.map(({ verdict, terms }) => ({
      facts: verdict.facts,
      checks: verdict.checks,
      revealed: revealed.get(terms?.id ?? "") ?? [],
    }));
    const { chain } = bundle;
    const complete = chain === undefined ? undefined : judgeChain(chain, judged);
    return { ok: true, keysSize: history.size, receipts, chain: complete };
  } catch (error) {
    if (!(error instanceof BundleFault)) throw error;
    return { ok: false, code: error.code, line: error.line, detail: error.message };
  }
};
