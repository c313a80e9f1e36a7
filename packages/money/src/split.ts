/**
 * Splitting an amount so that the parts add up to it exactly.
 */
import { MoneyError } from "./errors.ts";

/**
 * Splits `total` minor units in proportion to the weights, by largest remainder: each part gets
 * its share rounded down; the minor units that are left go one each to the parts with the
 * largest remainders, and among equal remainders to the first. The parts sum to the total.
 * @throws MoneyError `amount-negative`; `weights-malformed` (none, a negative one, all zero)
 * @example splitProRata(100n, [1n, 1n, 1n]) // [34n, 33n, 33n]
 */
export const splitProRata = (total: bigint, weights: readonly bigint[]): bigint[] => {
  if (total < 0n) throw new MoneyError("amount-negative", "only amounts of zero or more");
  const sum = weights.reduce((all, weight) => all + weight, 0n);
  if (sum <= 0n || weights.some((weight) => weight < 0n)) {
    throw new MoneyError("weights-malformed", "weights are zero or more, and not all zero");
  }
  const parts = weights.map((weight) => (total * weight) / sum);
  const remainders = weights.map((weight) => (total * weight) % sum);
  const left = Number(total - parts.reduce((all, part) => all + part, 0n));
  // Each remainder is below `sum`, so there are fewer units left than parts. Sorting is stable.
  const order = remainders
    .map((remainder, at) => ({ remainder, at }))
    .toSorted((a, b) => (a.remainder === b.remainder ? 0 : a.remainder > b.remainder ? -1 : 1));
  for (const { at } of order.slice(0, left)) parts[at] = (parts[at] ?? 0n) + 1n;
  return parts;
};
