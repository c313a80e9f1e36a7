// Returns, recalls and refusals as the commands that a lane decides on.
import { linkedIdOf, type Recall, type RecallRefusal, type Return } from "@sealane/protocol";
import type { RecallCommand, RecallRefusalCommand, ReturnCommand } from "../commands.ts";
import type { KeyState } from "../key-state.ts";
import { amountOf, minorOf } from "../positions.ts";
import { backAtOriginal } from "../returns/amounts.ts";
import { refOf, type Original } from "../returns/original.ts";
import { testKeys } from "./genesis.ts";
import { common, type Signing } from "./statements.ts";

type Told = { readonly original: Original; readonly entry: string };

export type ReturnOptions = Partial<Omit<Return, "amount">> & {
  /** Names the return: its id follows from it. */
  readonly key?: string;
  /** In major units of the received currency; what is left unless told. */
  readonly amount?: string;
};

/** Signed by the payee unless told otherwise; `back` is right at the original rate. */
export const giveBack = (
  keys: KeyState,
  { original, entry, before }: Told & { readonly before: bigint },
  { key = "return-1", amount, ...overrides }: ReturnOptions = {},
  signing: Signing = {},
): ReturnCommand => {
  const { terms } = original;
  const { currency } = terms.receive;
  const participant = terms.payee.participant;
  const left = minorOf(terms.receive.amount, currency) - before;
  const priced = {
    amount: { currency, amount: amount ?? amountOf(left, currency) },
    before: amountOf(before, currency),
    bearer: "payer" as const,
    ...overrides,
  };
  const body: Return = {
    id: linkedIdOf(terms.id, participant, key),
    original: refOf(original),
    participant,
    rate: "original",
    back: backAtOriginal(priced, terms),
    reason: "MS03",
    ...priced,
  };
  const by = { signers: [testKeys.ph], inner: entry, ...signing };
  return { ...common(keys, "return", body, by), kind: "return" };
};

export type RecallOptions = Partial<Omit<Recall, "amount">> & {
  readonly key?: string;
  readonly amount?: string;
};

/** Signed by the payer unless told otherwise. */
export const recall = (
  keys: KeyState,
  { original, entry }: Told,
  { key = "recall-1", amount, ...overrides }: RecallOptions = {},
  signing: Signing = {},
): RecallCommand => {
  const { terms } = original;
  const participant = terms.payer.participant;
  const { currency } = terms.receive;
  const body: Recall = {
    id: linkedIdOf(terms.id, participant, key),
    original: refOf(original),
    participant,
    amount: { currency, amount: amount ?? terms.receive.amount },
    cancel: false,
    reason: "CUST",
    ...overrides,
  };
  const by = { signers: [testKeys.hk], inner: entry, ...signing };
  return { ...common(keys, "recall", body, by), kind: "recall" };
};

/** Signed by the payee unless told otherwise. */
export const refuseRecall = (
  keys: KeyState,
  asked: RecallCommand,
  overrides: Partial<RecallRefusal> = {},
  signing: Signing = {},
): RecallRefusalCommand => {
  const body: RecallRefusal = {
    recall: asked.body.id,
    participant: testKeys.ph.name.replace(/\/.*/, ""),
    reason: "CUST",
    ...overrides,
  };
  const by = { signers: [testKeys.ph], inner: asked.note, ...signing };
  return { ...common(keys, "recall-refusal", body, by), kind: "recall-refusal" };
};
