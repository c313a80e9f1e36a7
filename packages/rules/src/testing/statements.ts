// Signed statements as the commands that a lane decides on: parsed, their lines judged, as the ledger's
// door hands them over. Each maker takes overrides, so that a test says only what it is about.
import {
  formatTime,
  noteHash,
  statementText,
  transferIdOf,
  type Adjustment,
  type Advance,
  type BankStatement,
  type Cancellation,
  type ChainStatement,
  type Credited,
  type RateSheet,
  type RateWithdrawal,
  type Rejection,
  type SettlementAbort,
  type Terms,
  type WindowCut,
  type WindowDefault,
} from "@sealane/protocol";
import { composeNote, sha256, toBase64 } from "@sealane/tlog";
import type {
  AcceptanceCommand,
  AdjustmentCommand,
  AdvanceCommand,
  BankStatementCommand,
  CancellationCommand,
  CheckedLine,
  CreditedCommand,
  IntentCommand,
  RateSheetCommand,
  RateWithdrawalCommand,
  RejectionCommand,
  StatementCommand,
  SettlementAbortCommand,
  WindowCutCommand,
  WindowDefaultCommand,
} from "../commands.ts";
import { keyIndex, type KeyState } from "../key-state.ts";
import { priceTransfer } from "../pricing.ts";
import {
  bank,
  corridor,
  feeSchedule,
  fx,
  genesisMs,
  hk,
  operator,
  origin,
  ph,
  testKeys,
} from "./genesis.ts";
import { lineOf, type TestKey } from "./keys.ts";

/** How a statement is signed and addressed; what is left out is as it should be. */
export type Signing = {
  readonly signers?: readonly TestKey[];
  /** The lines' signatures do not verify. */
  readonly forged?: boolean;
  readonly origin?: string;
  readonly inner?: string | undefined;
};

const checkedLines = (
  keys: KeyState,
  text: string,
  { signers = [], forged = false }: Signing,
): CheckedLine[] =>
  signers.flatMap((signer) => {
    const key = keys.keys.get(keyIndex(signer.name, signer.key.keyId));
    const line = lineOf(signer, forged ? `${text}forged\n` : text);
    return key === undefined ? [] : [{ line, key, good: !forged }];
  });

/** A statement as the ledger's door hands it over. */
export const common = <B>(keys: KeyState, kind: string, body: B, signing: Signing) => {
  const { signers = [], forged = false, inner } = signing;
  const address = signing.origin ?? origin;
  const text = statementText(address, kind, body, inner);
  const lines = checkedLines(keys, text, signing);
  const signatures = signers.map((key) => lineOf(key, forged ? `${text}forged\n` : text));
  const note = composeNote(text, signatures);
  const unknownLines = signers.length - lines.length;
  return { offset: 0n, origin: address, body, text, note, inner, lines, unknownLines };
};

const hashOf = (label: string): string => toBase64(sha256(label));

export type TermsOptions = Partial<Terms> & {
  /** Names the transfer: its id follows from it. */
  readonly key?: string;
  /** Amount of the fixed side, in major units. */
  readonly amount?: string;
};

/** Terms priced from a sheet, then overridden. @param nowMs they expire 60 s later */
export const makeTerms = (
  sheet: { readonly sheet: RateSheet; readonly hash: string },
  nowMs: number,
  { key = "transfer-1", amount = "1000.00", fixed = "send", ...overrides }: TermsOptions = {},
): Terms => {
  const priced = priceTransfer(fixed, amount, sheet.sheet, feeSchedule);
  if (!priced.ok) throw new Error(`test terms: ${priced.code} ${priced.detail}`);
  const { price } = priced;
  const id = transferIdOf(hk, key);
  const { schedule } = feeSchedule;
  return {
    id,
    request: hashOf(`request ${key}`),
    quote: id,
    policy: "transfer/1",
    payer: { participant: hk, account: hashOf(`payer ${key}`) },
    payee: { participant: ph, account: hashOf(`payee ${key}`) },
    fixed,
    send: price.send,
    fees: [{ schedule, to: operator, currency: price.send.currency, amount: price.fee }],
    converted: price.converted,
    sheet: { provider: sheet.sheet.provider, number: sheet.sheet.number, hash: sheet.hash },
    rate: price.rate,
    receive: price.receive,
    residue: price.residue,
    expiresAt: formatTime(nowMs + 60_000),
    ...overrides,
  };
};

export const intent = (keys: KeyState, terms: Terms, signing: Signing = {}): IntentCommand => ({
  ...common(keys, "transfer", terms, { signers: [testKeys.hk], ...signing }),
  kind: "intent",
  approvals: approvalLines(
    keys,
    statementText(signing.origin ?? origin, "transfer", terms),
    signing,
  ),
});

/** The good lines of operators in force, each once. */
const approvalLines = (keys: KeyState, text: string, { signers = [] }: Signing) =>
  operatorLines({ ...keys, corridors: new Map() }, text, signers);

/** @param text the terms' text, which the payee signs */
export const acceptance = (
  keys: KeyState,
  id: string,
  text: string,
  signing: Signing = {},
): AcceptanceCommand => ({
  kind: "acceptance",
  offset: 0n,
  id,
  line: checkedLines(keys, text, { signers: [testKeys.ph], ...signing })[0],
});

/** @param terms the intent's note, which stands whole below the rejection */
export const rejection = (
  keys: KeyState,
  body: Pick<Rejection, "id"> & Partial<Rejection>,
  terms: string,
  signing: Signing = {},
): RejectionCommand => ({
  ...common(
    keys,
    "rejection",
    { participant: ph, reason: "AC04", ...body },
    { signers: [testKeys.ph], inner: terms, ...signing },
  ),
  kind: "rejection",
});

export const cancellation = (
  keys: KeyState,
  body: Pick<Cancellation, "id"> & Partial<Cancellation>,
  terms: string | undefined,
  signing: Signing = {},
): CancellationCommand => ({
  ...common(
    keys,
    "cancellation",
    { participant: hk, reason: "CUST", ...body },
    { signers: [testKeys.hk], inner: terms, ...signing },
  ),
  kind: "cancellation",
});

/** Rate 7.25 HKD/PHP, in force for an hour from `fromMs`, one million a transfer, ten in all. */
export const makeSheet = (overrides: Partial<RateSheet> = {}, fromMs = genesisMs): RateSheet => ({
  provider: fx,
  number: 1,
  pair: { from: "HKD", to: "PHP" },
  rate: "7.25",
  reference: { rate: "7.3", date: "2026-10-30", source: "European Central Bank", feed: "replay" },
  spreadBasisPoints: "68.5",
  from: formatTime(fromMs),
  quoteUntil: formatTime(fromMs + 3_000_000),
  honourUntil: formatTime(fromMs + 3_600_000),
  maxTransfer: "1000000.00",
  totalPerLane: "10000000.00",
  ...overrides,
});

export const rateSheet = (
  keys: KeyState,
  sheet: RateSheet,
  signing: Signing = {},
): RateSheetCommand => ({
  ...common(keys, "rate-sheet", sheet, { signers: [testKeys.fx], ...signing }),
  kind: "rate-sheet",
});

/** How terms cite a sheet. */
export const sheetHash = ({ note }: RateSheetCommand): string => noteHash(note);

export const rateWithdrawal = (
  keys: KeyState,
  sheet: RateSheet,
  overrides: Partial<RateWithdrawal> = {},
  signing: Signing = {},
): RateWithdrawalCommand => {
  const { provider, pair, number } = sheet;
  const body = { provider, pair, number, reason: "stale-feed", ...overrides };
  return {
    ...common(keys, "rate-withdrawal", body, { signers: [testKeys.fx], ...signing }),
    kind: "rate-withdrawal",
  };
};

export const credited = (
  keys: KeyState,
  body: Pick<Credited, "upTo" | "head"> & Partial<Credited>,
  signing: Signing = {},
): CreditedCommand => ({
  ...common(
    keys,
    "credited",
    { participant: ph, except: [], ...body },
    { signers: [testKeys.ph], ...signing },
  ),
  kind: "credited",
});

export const chainStatement = (
  keys: KeyState,
  body: ChainStatement,
  signing: Signing = {},
): StatementCommand => ({
  ...common(keys, "statement", body, { signers: [testKeys.hk], ...signing }),
  kind: "statement",
});
const operatorLines = (keys: KeyState, text: string, signers: readonly TestKey[]) => {
  const registered = [
    ...keys.operatorKeys,
    ...[...keys.corridors.values()].flatMap(({ schedulerKey }) => schedulerKey ?? []),
  ];
  const known = [...new Set(signers)].filter(({ key: { name, keyId } }) =>
    registered.some((one) => one.name === name && one.keyId === keyId),
  );
  return known.map((signer): CheckedLine => {
    const { key: own, vkey } = signer;
    const fields = { vkey, addedAt: 0, revokedAt: undefined, purpose: "transfer" } as const;
    return {
      line: lineOf(signer, text),
      key: { participant: operator, key: own, ...fields },
      good: true,
    };
  });
};

/** A statement that counts operators; both of them unless told otherwise. */
export const byOperators = <B>(keys: KeyState, kind: string, body: B, signing: Signing) => {
  const signers = signing.signers ?? [testKeys.alice, testKeys.bob];
  const made = common(keys, kind, body, { ...signing, signers });
  const lines = operatorLines(keys, made.text, signers);
  const names = lines.map(({ key }) => key.key.name);
  const operators = keys.operatorKeys.map(({ name }) => name).filter((one) => names.includes(one));
  const schedulers = names.filter((one) => !operators.includes(one));
  return { command: { ...made, lines, operators }, schedulers };
};

/** Signed by both operators unless told otherwise. */
export const advance = (
  keys: KeyState,
  body: Partial<Advance> & { readonly key?: string } = {},
  signing: Signing = {},
): AdvanceCommand => {
  const { key = "advance-1", ...rest } = body;
  const statement: Advance = {
    id: transferIdOf(operator, key),
    participant: hk,
    currency: "HKD",
    amount: "1000000.00",
    note: "test",
    ...rest,
  };
  return { ...byOperators(keys, "advance", statement, signing).command, kind: "advance" };
};

/** Signed by the first operator unless told otherwise. */
export const windowCut = (
  keys: KeyState,
  body: Partial<WindowCut> & Pick<WindowCut, "number">,
  signing: Signing = {},
): WindowCutCommand => {
  const cut = { corridor: corridor.corridor, ...body };
  const by = { signers: [testKeys.alice], ...signing };
  const { command, schedulers } = byOperators(keys, "window-cut", cut, by);
  return { ...command, kind: "window-cut", schedulers };
};

export const bankStatement = (
  keys: KeyState,
  body: Pick<BankStatement, "lines"> & Partial<BankStatement>,
  signing: Signing = {},
): BankStatementCommand => ({
  ...common(
    keys,
    "bank-statement",
    { bank, reference: "STATEMENT-1", digest: hashOf("camt.053"), ...body },
    { signers: [testKeys.bank], ...signing },
  ),
  kind: "bank-statement",
});

/** One statement in parts of so many lines, each part naming the one before it. */
export const statementParts = (
  keys: KeyState,
  { lines, ...body }: Pick<BankStatement, "lines"> & Partial<BankStatement>,
  size: number,
  signing: Signing = {},
): BankStatementCommand[] => {
  const of = Math.ceil(lines.length / size);
  const parts: BankStatementCommand[] = [];
  for (let at = 0; at < of; at += 1) {
    const before = parts.at(-1);
    const prev = before === undefined ? {} : { prev: noteHash(before.text) };
    const some = lines.slice(at * size, (at + 1) * size);
    const part = { number: at + 1, of, ...prev };
    parts.push(bankStatement(keys, { ...body, part, lines: some }, signing));
  }
  return parts;
};

/** Parts as they are handed in: one command. */
export const handedIn = ([
  first,
  ...more
]: readonly BankStatementCommand[]): BankStatementCommand => {
  if (first === undefined) throw new Error("test statement: without a part");
  return { ...first, more };
};

export const windowDefault = (
  keys: KeyState,
  body: WindowDefault,
  signing: Signing = {},
): WindowDefaultCommand => ({
  ...byOperators(keys, "window-default", body, signing).command,
  kind: "window-default",
});

export const settlementAbort = (
  keys: KeyState,
  body: Pick<SettlementAbort, "number"> & Partial<SettlementAbort>,
  signing: Signing = {},
): SettlementAbortCommand => {
  const whole = { corridor: corridor.corridor, attempt: 0, reason: "wrong-accounts", ...body };
  const { command } = byOperators(keys, "settlement-abort", whole, signing);
  return { ...command, kind: "settlement-abort" };
};

/** Gives the sending wallet HKD 5.00 of cover for a break, unless told otherwise. */
export const adjustment = (
  keys: KeyState,
  body: Partial<Adjustment> & { readonly key?: string } = {},
  signing: Signing = {},
): AdjustmentCommand => {
  const { key = "break-1", ...rest } = body;
  const whole: Adjustment = {
    id: transferIdOf(hk, key),
    break: "amount",
    participant: hk,
    currency: "HKD",
    side: "credit",
    amount: "5.00",
    note: "test",
    ...rest,
  };
  return { ...byOperators(keys, "adjustment", whole, signing).command, kind: "adjustment" };
};
