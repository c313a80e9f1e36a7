// `sealane verify`, without its files: a receipt judged by a pinned policy and, where there is one, by a
// copy of the key log. Pure and offline; it runs in a browser too. Each question is answered on its
// own: checked, failed or not checked, and never guessed.
import {
  headerOf,
  readNote,
  readStatement,
  recallSchema,
  returnSchema,
  slotOf,
  termsSchema,
  type Terms,
} from "@sealane/protocol";
import { formatTime, parseTime } from "@sealane/protocol";
import {
  citedState,
  namesLogKey,
  unpinnedLaneKey,
  verifyEntry,
  verifyKeyLog,
  type KeyHistory,
  type KeyState,
  type VerifiedEntry,
  rootFault,
  type PinnedRoots,
} from "@sealane/rules";
import {
  fromUtf8,
  parseCheckpointText,
  parseNote,
  parseProof,
  type TlogPolicy,
} from "@sealane/tlog";
import { checkConversion } from "./verify-conversion.ts";
import { verifySeal, type SealedEntry, type SealFault } from "./verify-seal.ts";
import {
  checked,
  failed,
  notChecked,
  type Check,
  type KeysCopy,
  type Question,
  type ReceiptFacts,
  type Verdict,
} from "./verify-types.ts";

export * from "./verify-types.ts";

export type VerifyOptions = {
  readonly policy: TlogPolicy;
  /** Without it keys, parties, policy and conversion are not checked. */
  readonly keys?: KeysCopy | JudgedKeys | undefined;
  /** Root keys that were pinned: the key log must begin each participant with its own. */
  readonly roots?: PinnedRoots | undefined;
};

/** A key log that was judged before, for who verifies many receipts. */
export type JudgedKeys = { readonly history: KeyHistory; readonly sheets: readonly string[] };

/** An entry leaves out no key-log entry that is older than this by log time. */
const keyLagMs = 2_000;

const policyCodes = new Set(["policy-unknown", "policy-unmet", "policy-bound"]);

type Keys =
  | { readonly history: KeyHistory; readonly state: KeyState; readonly check: Check }
  | { readonly history?: undefined; readonly check: Check };

/** A transfer's id belongs to one lane: elsewhere it could be committed a second time. */
const laneFault = (
  sealed: SealedEntry,
  history: KeyHistory,
  state: KeyState,
  transferId: string | undefined,
) => {
  const { log } = sealed;
  const given = state.laneRecords.flatMap(({ lanes }) =>
    lanes.filter(({ origin }) => origin === sealed.origin),
  );
  if (given.length === 0) return failed("lane-unknown", `the key log has no lane ${sealed.origin}`);
  if (!namesLogKey(history, sealed.origin, log, sealed.context.keys.size)) {
    return failed("lane-unknown", `the key log has another key for ${sealed.origin}`);
  }
  if (transferId === undefined) return undefined;
  const slot = slotOf(transferId);
  if (given.some(({ slots }) => slots.some(({ from, to }) => from <= slot && slot < to))) {
    return undefined;
  }
  return failed("wrong-lane", `transfer ${transferId} belongs to another lane`);
};

const checkKeys = (sealed: SealedEntry, options: VerifyOptions, id?: string): Keys => {
  const { policy, keys, roots } = options;
  if (keys === undefined) {
    return { check: notChecked("no copy of the key log at hand (--keys FILE)") };
  }
  const verified =
    "history" in keys
      ? ({ ok: true, history: keys.history } as const)
      : verifyKeyLog(policy, keys.checkpoint, keys.entries);
  if (!verified.ok) return { check: failed(verified.code, verified.detail) };
  const { history } = verified;
  const stranger = roots === undefined ? undefined : rootFault(history, roots);
  if (stranger !== undefined) return { check: failed(stranger.code, stranger.detail) };
  const { keys: cited, time } = sealed.context;
  if (cited.size > history.size) {
    const detail = `the receipt cites ${cited.size} entries of the key log, the copy has fewer`;
    return { check: failed("keys-too-old", `${detail} (${history.size}): fetch it again`) };
  }
  const state = citedState(history, cited);
  if (state === undefined) {
    return { check: failed("keys-unknown", "the receipt cites a key log that never was") };
  }
  const leftOut = history.times[cited.size];
  if (leftOut !== undefined && leftOut < parseTime(time) - keyLagMs) {
    return { check: failed("keys-stale", "the entry leaves out an older entry of the key log") };
  }
  const fault = laneFault(sealed, history, state, id);
  if (fault !== undefined) return { check: fault };
  const check = checked(
    `the key log is cosigned, ${history.size} entries; ${cited.size} are cited` +
      (roots === undefined ? "; no root keys were pinned (--roots FILE)" : "; roots are as pinned"),
  );
  return { history, state, check };
};

/** The terms in an entry, when they are the statement in it. */
export const termsOf = (inner: string): Terms | undefined => {
  const note = readNote(inner);
  if (!note.ok) return undefined;
  const read = readStatement(note.note, "transfer", termsSchema);
  return read.ok ? read.statement.body : undefined;
};

const factsOf = (sealed: SealedEntry): ReceiptFacts => {
  const { context, inner, origin, cosignedBy, sealedAtMs } = sealed;
  const terms = termsOf(inner);
  return {
    log: origin,
    position: context.seq,
    logTime: context.time,
    sealedAt: formatTime(sealedAtMs),
    cosignedBy,
    kind: headerOf(inner)?.kind ?? "unknown",
    outcome: context.outcome,
    ...(context.reason === undefined ? {} : { reason: context.reason }),
    ...(terms === undefined
      ? {}
      : {
          transferId: terms.id,
          payer: terms.payer.participant,
          payee: terms.payee.participant,
          sent: terms.send,
          fees: terms.fees.map(({ currency, amount }) => ({ currency, amount })),
          rate: terms.rate,
          received: terms.receive,
        }),
    ...linkOf(inner),
  };
};

/** Of a return or a recall: its id, the transfer that it is about, and what comes back. */
const linkOf = (inner: string): Partial<ReceiptFacts> => {
  const note = readNote(inner);
  if (!note.ok) return {};
  const back = readStatement(note.note, "return", returnSchema);
  if (back.ok) {
    const { id, original, amount, back: received } = back.statement.body;
    return { transferId: id, returnOf: original.id, sent: amount, received };
  }
  const asked = readStatement(note.note, "recall", recallSchema);
  if (!asked.ok) return {};
  const { id, original, amount } = asked.statement.body;
  return { transferId: id, recallOf: original.id, sent: amount };
};

/** Who must have signed what stands in an entry, in words. */
const signersOf = ({
  kind,
  terms,
  context,
  sheet,
  withdrawal,
  credited,
  statement,
  returns,
}: VerifiedEntry): string => {
  const payer = `${terms?.payer.participant ?? "?"} (payer)`;
  const payee = `${terms?.payee.participant ?? "?"} (payee)`;
  if (kind === "transfer") return context.outcome === "committed" ? `${payer} and ${payee}` : payer;
  if (kind === "rejection") return payee;
  if (kind === "cancellation") return terms === undefined ? "the payer" : payer;
  if (kind === "advance") return "two operators";
  if (returns !== undefined) {
    return `${returns.body.participant} (${kind === "recall" ? "payer" : "payee"} of the original)`;
  }
  const provider = sheet?.provider ?? withdrawal?.provider;
  return provider ?? credited?.participant ?? statement?.participant ?? "its author";
};

type Meaning = Pick<Record<Question, Check>, "parties" | "policy" | "conversion">;

const allNotChecked = (detail: string): Meaning => {
  const check = notChecked(detail);
  return { parties: check, policy: check, conversion: check };
};

const checkMeaning = (sealed: SealedEntry, keys: Keys, sheets: readonly string[]): Meaning => {
  if (keys.history === undefined) return allNotChecked("needs the keys");
  const { history, state } = keys;
  const verified = verifyEntry(sealed.note, { origin: sealed.origin, history, signatures: true });
  if (!verified.ok) {
    const { code, detail } = verified;
    const rest = notChecked("what comes before it failed");
    // The policy is judged after every signature that the floor asks for.
    if (!policyCodes.has(code)) {
      return { parties: failed(code, detail), policy: rest, conversion: rest };
    }
    const parties = checked("the operator, the payer and the payee signed with keys in force");
    return { parties, policy: failed(code, detail), conversion: rest };
  }
  const { entry } = verified;
  const parties = checked(`signed by the operator, ${signersOf(entry)}, with keys in force`);
  const { terms } = entry;
  if (entry.kind !== "transfer" || terms === undefined || entry.context.outcome !== "committed") {
    const other = notChecked("only a committed transfer has one");
    return { parties, policy: other, conversion: other };
  }
  const policy = checked(
    `${terms.policy} is met, and both providers signed, each with its own key`,
  );
  return { parties, policy, conversion: checkConversion(sealed, terms, state, history, sheets) };
};

const disclosures = notChecked("a receipt carries none");

/** All questions but the first, to an entry that is sealed. */
export const judgeSealed = (sealed: SealedEntry, options: VerifyOptions): Verdict => {
  const facts = factsOf(sealed);
  const keys = checkKeys(sealed, options, facts.transferId);
  const where = `entry ${facts.position} of ${sealed.treeSize} in ${sealed.origin}`;
  const checks = {
    sealed: checked(`${where}, cosigned by ${sealed.cosignedBy.join(", ")} at ${facts.sealedAt}`),
    keys: keys.check,
    ...checkMeaning(sealed, keys, options.keys?.sheets ?? []),
    disclosures,
  };
  const ok = Object.values(checks).every(({ status }) => status !== "failed");
  return { ok, checks, facts };
};

/** Sealed by a key that no line of the policy has: the key log may say whose it is, and what to do. */
const laterKey = (
  receipt: Uint8Array,
  { code }: SealFault,
  { policy, keys }: VerifyOptions,
): { readonly code: string; readonly detail: string } | undefined => {
  if (code !== "note-unknown-key" || keys === undefined) return undefined;
  const judged =
    "history" in keys
      ? ({ ok: true, history: keys.history } as const)
      : verifyKeyLog(policy, keys.checkpoint, keys.entries);
  if (!judged.ok) return judged.code === "log-key-unpinned" ? judged : undefined;
  const { text } = parseNote(parseProof(fromUtf8(receipt)).checkpoint);
  return unpinnedLaneKey(policy, judged.history, parseCheckpointText(text).origin);
};

/**
 * Verifies a receipt offline.
 * @param receipt the file's bytes: a C2SP tlog-proof with the entry in `extra`
 * @returns a verdict per question; `ok` when it is sealed and nothing failed
 * @example verifyReceipt(readFileSync(path), { policy: parsePolicy(text) }).ok
 */
export const verifyReceipt = (receipt: Uint8Array, options: VerifyOptions): Verdict => {
  const seal = verifySeal(receipt, options.policy);
  if (!seal.ok) {
    const keys = notChecked("a receipt that is not sealed says nothing");
    const { code, detail } = laterKey(receipt, seal, options) ?? seal;
    const sealed = failed(code, detail);
    const checks = { sealed, keys, ...allNotChecked(keys.detail), disclosures };
    return { ok: false, checks, facts: undefined };
  }
  return judgeSealed(seal.sealed, options);
};
