// A file of remittances from Hong Kong to the Philippines for `sealane send --file`: 300 rows of mixed
// sizes, many small and few large, the same for the same seed. Nobody's data. Run it to write it anew:
// `node packages/simulator/src/sample-remittances.ts`.
import { writeFileSync } from "node:fs";
import { accountNumber } from "./account-book.ts";

const smallest = 2_000;
const largest = 799_900;
/** Above 990 accounts misbehave on purpose (docs/rooms/simulator.md). */
const payeeAccounts = 990;
const payerAccounts = 999;

const references = [
  "Family support",
  "Rent",
  "School fees, term 2",
  'For "Ate" with love',
  "Medicine",
  "Birthday",
  "",
] as const;

/** Numbers in [0, 1) from a seed: mulberry32. */
const makeRandom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

const quoted = (text: string): string =>
  /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

const amountText = (cents: number): string =>
  `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;

/** The CSV, with a header; the first row is the smallest amount, the last the largest. */
export const sampleRemittances = (rows: number, seed: number): string => {
  const random = makeRandom(seed);
  const upTo = (count: number): number => Math.floor(random() * count) + 1;
  const lines = Array.from({ length: rows }, (_, at) => {
    const cents = Math.round(smallest * (largest / smallest) ** random());
    const fixed = at === 0 ? smallest : at === rows - 1 ? largest : cents;
    const payer = accountNumber("+8529", upTo(payerAccounts));
    const payee = accountNumber("+63917", upTo(payeeAccounts));
    const reference = references[upTo(references.length) - 1] ?? "";
    return [payer, payee, amountText(fixed), "HKD", quoted(reference)].join(",");
  });
  return ["payer_account,payee_account,amount,currency,reference", ...lines, ""].join("\n");
};

export const sampleFile = new URL("../data/remittances-hk-ph.csv", import.meta.url);
export const sampleRows = 300;
export const sampleSeed = 20_180_625;

if (import.meta.main) writeFileSync(sampleFile, sampleRemittances(sampleRows, sampleSeed));
