// Whose account at a settlement bank it is: a participant's by its own record, or the operator's by the
// corridor's. Looked up, not searched for: a statement may have 10,000 lines, and each is asked several times.
import type { BankLine } from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";

const index = new WeakMap<KeyState, Map<string, string>>();

const nameOf = (bank: string, account: string, currency: string): string =>
  `${bank} ${account} ${currency}`;

const indexOf = (keys: KeyState): Map<string, string> => {
  const known = index.get(keys);
  if (known !== undefined) return known;
  const owners = new Map<string, string>();
  /** Whoever is named first has it. */
  const add = (name: string, owner: string): void => {
    if (!owners.has(name)) owners.set(name, owner);
  };
  for (const { participant, accounts = [] } of keys.participants.values()) {
    for (const { bank, account, currency } of accounts) {
      add(nameOf(bank, account, currency), participant);
    }
  }
  const operator = keys.ledger?.operator;
  for (const { bank, operatorAccounts } of keys.corridors.values()) {
    if (bank === undefined || operator === undefined) continue;
    for (const { account, currency } of operatorAccounts) {
      add(nameOf(bank, account, currency), operator);
    }
  }
  index.set(keys, owners);
  return owners;
};

/** @returns the participant or the operator, or undefined where nobody here has the account */
export const accountOwner = (
  keys: KeyState,
  bank: string,
  { account, currency }: Pick<BankLine, "account" | "currency">,
): string | undefined => indexOf(keys).get(nameOf(bank, account, currency));
