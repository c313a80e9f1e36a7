// What a policy of the key log asks for beyond the floor (payer and payee, each by a key of its own).
import type { MoneyField, PolicyRecord, Terms } from "@sealane/protocol";
import { parseSignatureLine } from "@sealane/tlog";
import type { KeyState } from "./key-state.ts";
import { isAmount, minorOf } from "./positions.ts";

/**
 * How many operators must sign terms that send this much: the largest count among the thresholds
 * that the amount reaches. A threshold that is not an amount of its currency counts at any amount.
 * @returns undefined when there is no such policy
 */
export const operatorsNeeded = (
  policy: PolicyRecord | undefined,
  send: MoneyField,
): number | undefined => {
  if (policy === undefined) return undefined;
  let needed = 0;
  for (const { currency, amount, count } of policy.operatorsFrom) {
    if (currency !== send.currency || count <= needed) continue;
    const reached =
      !isAmount(amount, currency) ||
      !isAmount(send.amount, currency) ||
      minorOf(send.amount, currency) >= minorOf(amount, currency);
    if (reached) needed = count;
  }
  return needed;
};

/** How many operators in force have a line among those of a reservation, which were judged then. */
export const approvalsAmong = ({ operatorKeys }: KeyState, lines: readonly string[]): number => {
  const signers = lines.map(parseSignatureLine);
  return operatorKeys.filter((key) =>
    signers.some(({ name, keyId }) => name === key.name && keyId === key.keyId),
  ).length;
};

/** The policy that binds these terms' payer, when they cite another one. */
export const boundElsewhere = (keys: KeyState, { payer, policy }: Terms): string | undefined => {
  const bound = keys.participants.get(payer.participant)?.boundTo;
  return bound === policy ? undefined : bound;
};
