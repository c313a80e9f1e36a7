// From a cut window to what its bank is told: one transfer for each leg, each with the leg's reference as
// its UETR, so that the bank's answer is known again. All of it follows from the log: asked twice, the
// same instructions are the same bytes, and the bank takes them once.
import { Iso20022Error } from "../errors.ts";
import type { InstitutionTransfer, Pacs009 } from "../messages/pacs-009.ts";

export type WindowName = {
  readonly corridor: string;
  readonly number: number;
  readonly attempt: number;
};

/** Names the window's instructions: their message id, and the end-to-end id of each. */
export const windowReference = ({ corridor, number, attempt }: WindowName): string =>
  `${corridor}/${number}/${attempt}`;

/** Back from a reference; undefined for what is none. */
export const windowOfReference = (reference: string): WindowName | undefined => {
  const match = /^([a-z0-9][a-z0-9-]{0,23})\/(0|[1-9]\d{0,14})\/(0|[1-9]\d{0,8})$/.exec(reference);
  if (match === null) return undefined;
  return { corridor: match[1] ?? "", number: Number(match[2]), attempt: Number(match[3]) };
};

export type SettlementLeg = {
  readonly reference: string;
  readonly currency: string;
  readonly side: "pay" | "receive";
  readonly counterparty: string;
  readonly amount: string;
};

export type InstructionsInput = {
  readonly window: WindowName;
  readonly nets: readonly {
    readonly participant: string;
    readonly legs: readonly SettlementLeg[];
  }[];
  readonly operator: string;
  /** The operator's clearing account in the books: it has no account of its own at the bank. */
  readonly clearing: string;
  readonly bank: string;
  /** Log time of the cut, so that the message does not depend on who asks when. */
  readonly createdAt: string;
  /** The deadline. */
  readonly payBy: string;
  /** A participant's account at the bank. */
  readonly accountOf: (participant: string, currency: string) => string | undefined;
};

/** 32 characters of the UETR: an instruction id has room for no more than 35. */
const instructionId = (uetr: string): string => uetr.replaceAll("-", "");

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/**
 * The instructions, those that pay first. A pair's leg stands once: with who pays.
 * @throws Iso20022Error `account-unknown` when the key log has no account for a leg
 */
export const settlementInstructions = (input: InstructionsInput): Pacs009 => {
  const { window, nets, operator, clearing, bank, createdAt, payBy, accountOf } = input;
  const known = (participant: string, currency: string): string => {
    const account = accountOf(participant, currency);
    if (account !== undefined) return account;
    throw new Iso20022Error(
      "account-unknown",
      `${participant} has no ${currency} account at ${bank}`,
    );
  };
  const transferOf = (participant: string, leg: SettlementLeg): InstitutionTransfer | undefined => {
    const { reference, currency, side, counterparty, amount } = leg;
    const cleared = counterparty === clearing;
    if (side === "receive" && !cleared) return undefined;
    const own = known(participant, currency);
    const common = {
      instructionId: instructionId(reference),
      endToEndId: windowReference(window),
      uetr: reference,
      amount: { currency, amount },
      settlementDate: payBy.slice(0, 10),
    };
    if (side === "receive") {
      return { ...common, debtor: clearing, creditor: participant, creditorAccount: own };
    }
    const other = cleared ? {} : { creditorAccount: known(counterparty, currency) };
    return { ...common, debtor: participant, debtorAccount: own, creditor: counterparty, ...other };
  };
  const transfers = nets.flatMap(({ participant, legs }) =>
    legs.flatMap((leg) => {
      const transfer = transferOf(participant, leg);
      return transfer === undefined ? [] : { transfer, side: leg.side };
    }),
  );
  return {
    messageId: windowReference(window),
    createdAt,
    instructingAgent: operator,
    instructedAgent: bank,
    transfers: transfers.toSorted((a, b) => byText(a.side, b.side)).map(({ transfer }) => transfer),
  };
};
