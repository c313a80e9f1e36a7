// What a committed transfer and an advance post, and whose chains an entry joins: pure functions of
// the signed statement, so that every verifier recomputes them (`decisions.md`, Entries).
import {
  advancesAccount,
  feesAccount,
  liquidityAccount,
  positionAccount,
  type Advance,
  type Posting,
  type Terms,
} from "@sealane/protocol";

/** The version of the decision rules that new entries cite; old versions stay in the code. */
export const rulesVersion = 1;

/** Payer → fees and liquidity provider in the sent currency; provider → payee in the received. */
export const transferPostings = (terms: Terms): Posting[] => {
  const payer = positionAccount(terms.payer.participant);
  const provider = positionAccount(terms.sheet.provider);
  const fees = terms.fees.map(({ to, currency, amount }) => ({
    debit: payer,
    credit: feesAccount(to),
    currency,
    amount,
  }));
  return [
    ...fees.filter(({ amount }) => !/^[0.]+$/.test(amount)),
    { debit: payer, credit: provider, currency: terms.send.currency, amount: terms.converted },
    {
      debit: provider,
      credit: positionAccount(terms.payee.participant),
      currency: terms.receive.currency,
      amount: terms.receive.amount,
    },
  ];
};

/**
 * Everyone whose position a transfer touches has it in their chain, however it ends. Each once: a
 * wallet may be the liquidity provider too, and no entry can follow itself in a chain.
 */
export const transferParticipants = (terms: Terms): string[] => [
  ...new Set([terms.payer.participant, terms.payee.participant, terms.sheet.provider]),
];

export const advancePostings = (operator: string, advance: Advance): Posting[] => [
  {
    debit: advancesAccount(operator),
    credit: liquidityAccount(advance.participant),
    currency: advance.currency,
    amount: advance.amount,
  },
];
