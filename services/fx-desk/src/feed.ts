// Published reference rates as a feed: which rate of which day, or why nothing may be quoted. Pure. A
// feed that is stale (by its own date), zero, inverted or jumping is refused, never corrected.
import { compareRates, crossRate, parseRate, type Rate } from "@sealane/money";

export type FeedRow = { readonly date: string; readonly perEuro: ReadonlyMap<string, string> };

export type Pair = { readonly from: string; readonly to: string };

export type FeedLimits = {
  /** The replay's "today": rows after it are not looked at. */
  readonly date: string | undefined;
  readonly maxAgeDays: number;
  readonly maxJumpPercent: number;
};

export type FeedRefusalCode =
  | "feed-malformed"
  | "feed-missing"
  | "feed-stale"
  | "feed-zero"
  | "feed-inverted"
  | "feed-jump";

export type Reference =
  | { readonly ok: true; readonly rate: Rate; readonly date: string }
  | { readonly ok: false; readonly code: FeedRefusalCode; readonly detail: string };

export type Feed =
  | { readonly ok: true; readonly rows: readonly FeedRow[] }
  | { readonly ok: false; readonly code: "feed-malformed"; readonly detail: string };

const DAY_MS = 86_400_000;
const REFERENCE_DECIMALS = 8;

const refuse = (code: FeedRefusalCode, detail: string): Reference => ({ ok: false, code, detail });

/**
 * Reads `date,HKD,PHP,…` with units per euro, oldest day first; an empty cell is a day without a
 * rate. Cells are kept as text: whether one can be used is judged when its pair is asked for.
 */
export const parseFeed = (text: string): Feed => {
  const malformed = (line: number, detail: string): Feed => ({
    ok: false,
    code: "feed-malformed",
    detail: `line ${line}: ${detail}`,
  });
  const [head = "", ...lines] = text.replaceAll("\r\n", "\n").trimEnd().split("\n");
  const [first, ...currencies] = head.split(",");
  if (first !== "date" || !currencies.every((code) => /^[A-Z]{3}$/.test(code))) {
    return malformed(1, "the first line is date and currencies");
  }
  const rows: FeedRow[] = [];
  for (const [at, line] of lines.entries()) {
    const [date = "", ...cells] = line.split(",");
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return malformed(at + 2, "it has no day");
    if (cells.length !== currencies.length) return malformed(at + 2, "a column is missing");
    if (date <= (rows.at(-1)?.date ?? "")) return malformed(at + 2, "days must go forward");
    const perEuro = new Map([["EUR", "1"]]);
    for (const [column, cell] of cells.entries()) {
      if (cell !== "") perEuro.set(currencies[column] as string, cell);
    }
    rows.push({ date, perEuro });
  }
  return { ok: true, rows };
};

/** `110.5` percent as the decimal `1.105`; percent has at most two decimals that count. */
const factor = (basisPoints: number): Rate => {
  const digits = String(basisPoints).padStart(5, "0");
  return parseRate(`${digits.slice(0, -4)}.${digits.slice(-4)}`) as Rate;
};

/** Whether `next` is within `percent` of `previous`. */
const isNear = (previous: Rate, next: Rate, percent: number): boolean => {
  const ratio = crossRate(next, previous, 12, "half-even");
  const basisPoints = Math.round(percent * 100);
  return (
    compareRates(ratio, factor(10_000 + basisPoints)) <= 0 &&
    compareRates(ratio, factor(10_000 - basisPoints)) >= 0
  );
};

const ratesOf = (row: FeedRow, { from, to }: Pair): readonly [Rate, Rate] | undefined => {
  const denominator = parseRate(row.perEuro.get(from) ?? "");
  const numerator = parseRate(row.perEuro.get(to) ?? "");
  return numerator === undefined || denominator === undefined
    ? undefined
    : [numerator, denominator];
};

const crossOf = (row: FeedRow, pair: Pair): Rate | undefined => {
  const rates = ratesOf(row, pair);
  return rates && crossRate(rates[0], rates[1], REFERENCE_DECIMALS, "half-even");
};

/** How many whole days lie between two days. */
const ageDays = (date: string, today: string): number =>
  Math.round((Date.parse(today) - Date.parse(date)) / DAY_MS);

/**
 * The reference rate of a pair (units of `to` per unit of `from`, 8 decimals, half to even) from the
 * newest day that has both currencies.
 * @param rows oldest first
 */
export const referenceOf = (
  rows: readonly FeedRow[],
  pair: Pair,
  { date, maxAgeDays, maxJumpPercent }: FeedLimits,
): Reference => {
  const name = `${pair.from}/${pair.to}`;
  const today = date ?? rows.at(-1)?.date ?? "";
  const known = rows.filter(
    (row) => row.date <= today && row.perEuro.has(pair.from) && row.perEuro.has(pair.to),
  );
  const [previous, newest] = [known.at(-2), known.at(-1)];
  if (newest === undefined) return refuse("feed-missing", `no day up to ${today} has ${name}`);
  if (ageDays(newest.date, today) > maxAgeDays) {
    return refuse("feed-stale", `${name} is of ${newest.date}, and today is ${today}`);
  }
  const rate = crossOf(newest, pair);
  if (rate === undefined) {
    return refuse("feed-zero", `${newest.date} has no positive rate for ${name}`);
  }
  const before = previous && crossOf(previous, pair);
  if (before === undefined || isNear(before, rate, maxJumpPercent)) {
    return { ok: true, rate, date: newest.date };
  }
  const moved = `${name} went from ${before} to ${rate} on ${newest.date}`;
  const turned = crossOf(newest, { from: pair.to, to: pair.from });
  return turned !== undefined && isNear(before, turned, maxJumpPercent)
    ? refuse("feed-inverted", `${moved}: it looks turned over`)
    : refuse("feed-jump", `${moved}, by more than ${maxJumpPercent} %`);
};
