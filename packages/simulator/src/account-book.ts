// Which accounts a core has, and how the magic ones behave. An account is a prefix and seven digits
// from 1 to `accounts`; 991 to 998 at the end name a behaviour (docs/rooms/simulator.md).
// Reasons are ISO 20022 external status reason codes.

export type AccountStatus = "open" | "closed" | "blocked";

/** How an account behaves when it is checked and credited. */
export type Behaviour =
  | "normal"
  | "slow-check"
  | "silent-check"
  | "refuse-credit"
  | "fail-credit-thrice"
  | "lose-credit-answer"
  | "keep-money";

export type Account = { readonly status: AccountStatus; readonly behaviour: Behaviour };

export type AccountBook = {
  /** The account, or undefined when this core has none of that number. */
  find(number: string): Account | undefined;
};

const DIGITS = 7;
const OPEN: Account = { status: "open", behaviour: "normal" };
const MAGIC: Readonly<Record<string, Account>> = {
  "991": { status: "closed", behaviour: "normal" },
  "992": { status: "blocked", behaviour: "normal" },
  "993": { status: "open", behaviour: "slow-check" },
  "994": { status: "open", behaviour: "silent-check" },
  "995": { status: "open", behaviour: "refuse-credit" },
  "996": { status: "open", behaviour: "fail-credit-thrice" },
  "997": { status: "open", behaviour: "lose-credit-answer" },
  "998": { status: "open", behaviour: "keep-money" },
};

/** Why no money can go to an account: AC03 unknown, AC04 closed, AC06 blocked; undefined if it can. */
export function refusalOf(account: Account | undefined): string | undefined {
  if (account === undefined) return "AC03";
  if (account.status === "closed") return "AC04";
  return account.status === "blocked" ? "AC06" : undefined;
}

/** The n-th account number of a prefix: `accountNumber("+8529", 1)` is `+85290000001`. */
export function accountNumber(prefix: string, index: number): string {
  return prefix + String(index).padStart(DIGITS, "0");
}

/** The book of the accounts 1 to `accounts` under a prefix. */
export function makeAccountBook(prefix: string, accounts: number): AccountBook {
  return {
    find(number) {
      const tail = number.slice(prefix.length);
      if (!number.startsWith(prefix) || !/^\d{7}$/.test(tail)) return undefined;
      const index = Number(tail);
      if (index < 1 || index > accounts) return undefined;
      return MAGIC[tail.slice(-3)] ?? OPEN;
    },
  };
}
