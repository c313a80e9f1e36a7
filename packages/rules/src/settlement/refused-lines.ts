// Lines of a bank's statement that was refused: one code refuses it whole, and each line that nothing of
// ours answers to is somebody's to clear up. What says again what was booked before is a duplicate.
import type { BankLine, BankStatement } from "@sealane/protocol";
import type { KeyState } from "../key-state.ts";
import { amountOf, isAmount, minorOf } from "../positions.ts";
import { accountOwner } from "./bank-accounts.ts";
import { expectedLegs, lineKey } from "./bank-statement.ts";
import { windowKey, type SettlementState } from "./state.ts";

export type RefusedLine = {
  readonly line: BankLine;
  readonly kind: "unmatched-bank-line" | "duplicate";
  readonly detail: string;
};

/** What the log has of the same window's attempt: the state forgets a window that is settled. */
export type EarlierStatement = Pick<BankStatement, "reference" | "lines">;

type Known = {
  readonly state: SettlementState;
  readonly keys: KeyState;
  readonly legs: ReturnType<typeof expectedLegs> | undefined;
  /** References of the statements that have booked a line, by `lineText`. */
  readonly booked: ReadonlyMap<string, string>;
};

const lineText = ({ reference, account, currency, side, amount, status }: BankLine): string =>
  [reference, account, currency, side, amount, status].join(" ");

const unmatched = (detail: string) => ({ kind: "unmatched-bank-line", detail }) as const;
const duplicate = (detail: string) => ({ kind: "duplicate", detail }) as const;

const judgeLine = (
  { state, keys, legs, booked }: Known,
  { bank, window: named }: BankStatement,
  line: BankLine,
): Omit<RefusedLine, "line"> | undefined => {
  const { account, currency, amount, reference } = line;
  if (!isAmount(amount, currency))
    return unmatched(`${amount} has not the decimals of ${currency}`);
  const owner = accountOwner(keys, bank, line);
  if (owner === undefined)
    return unmatched(`nobody here has the account ${account} in ${currency}`);
  if (named === undefined) {
    if (!keys.participants.has(owner)) return unmatched(`${owner} has no cover`);
    if (state.seen.has(`line ${bank} ${reference}`)) {
      return duplicate(`${reference} was booked before`);
    }
    const advance = state.unbacked.get(reference);
    if (advance === undefined || advance.minor === minorOf(amount, currency)) return undefined;
    const is = `${amountOf(advance.minor, advance.currency)} ${advance.currency}`;
    return unmatched(`the advance is ${is}`);
  }
  if (legs === undefined) {
    const before = booked.get(lineText(line));
    if (before !== undefined) return duplicate(`statement ${before} has booked it`);
    return unmatched(`${windowKey(named)} waits for no such line`);
  }
  const found = legs.get(lineKey(line));
  if (found?.participant !== owner || found.leg.currency !== currency) {
    return unmatched("no such leg");
  }
  if (found.leg.amount === amount) return undefined;
  return unmatched(`the leg is ${found.leg.amount} ${currency}`);
};

/** @param earlier statements about the same window and attempt that were taken, in the log's order */
export const refusedBankLines = (
  state: SettlementState,
  keys: KeyState,
  statement: BankStatement,
  earlier: readonly EarlierStatement[] = [],
): RefusedLine[] => {
  const named = statement.window;
  const window = named === undefined ? undefined : state.closed.get(windowKey(named));
  const legs = window?.attempt === named?.attempt && window ? expectedLegs(window) : undefined;
  const booked = new Map(
    earlier.flatMap(({ reference, lines }) =>
      lines.flatMap((line) =>
        line.status === "booked" ? [[lineText(line), reference] as const] : [],
      ),
    ),
  );
  const known: Known = { state, keys, legs, booked };
  const said = new Set<string>();
  return statement.lines.flatMap((line) => {
    const key = `${lineKey(line)} ${line.account}`;
    const again = said.has(key);
    said.add(key);
    const judged = again
      ? duplicate("the statement says it twice")
      : judgeLine(known, statement, line);
    return judged === undefined ? [] : [{ line, ...judged }];
  });
};
