// The shipped rates against vectors that were computed elsewhere (Python's decimal), and every reason
// to stop quoting.
import { readFileSync } from "node:fs";
import { applySpread } from "@sealane/money";
import { describe, expect, test } from "vitest";
import { parseFeed, referenceOf, type FeedLimits } from "./feed.ts";
import { sheetRate } from "./make-sheet.ts";

const shipped = readFileSync(
  new URL("../data/ecb-reference-rates.csv", import.meta.url).pathname,
  "utf8",
);
const limits: FeedLimits = { date: undefined, maxAgeDays: 5, maxJumpPercent: 10 };

const rowsOf = (text: string) => {
  const feed = parseFeed(text);
  if (!feed.ok) throw new Error(feed.detail);
  return feed.rows;
};

const pairOf = (name: string) => ({ from: name.slice(0, 3), to: name.slice(4) });

describe("rates from the shipped feed", () => {
  const rows = rowsOf(shipped);

  test.each([
    ["HKD/PHP", "2026-10-30", "8.116529", "50", "8.075946"],
    ["PHP/HKD", "2026-10-30", "0.12320538", "50", "0.12258935"],
    ["HKD/PHP", "2005-04-01", "7.01977974", "12.5", "7.011005"],
    ["USD/JPY", "2026-10-30", "157.25026853", "0", "157.250268"],
    ["EUR/HKD", "2026-10-30", "8.7652", "50", "8.721374"],
  ])("%s of %s is %s, less %s basis points %s", (name, date, reference, spread, rate) => {
    const found = referenceOf(rows, pairOf(name), { ...limits, date });
    expect(found).toEqual({ ok: true, rate: reference, date });
    if (found.ok) expect(sheetRate(found.rate, spread)).toBe(rate);
  });

  test("the four decimals that are published elsewhere are 8.1165", () => {
    const found = referenceOf(rows, pairOf("HKD/PHP"), limits);
    expect(found.ok && applySpread(found.rate, "0", 4, "half-even")).toBe("8.1165");
  });

  test("a weekend is judged by the Friday before it", () => {
    const found = referenceOf(rows, pairOf("HKD/PHP"), { ...limits, date: "2026-11-01" });
    expect(found).toMatchObject({ ok: true, date: "2026-10-30" });
  });
});

describe("reasons to stop quoting", () => {
  const head = "date,HKD,PHP";
  const day = "2026-10-28,8,64";
  const table: [string, string[], Partial<FeedLimits>, string][] = [
    ["no day has both", ["2026-10-29,8,"], {}, "feed-missing"],
    ["today is before the first day", [day], { date: "2020-01-01" }, "feed-missing"],
    ["the newest day is too old", [day], { date: "2026-11-03" }, "feed-stale"],
    ["the pair's newest day is too old, not the row's", [day, "2026-11-03,8,"], {}, "feed-stale"],
    ["a rate is zero", [day, "2026-10-29,8,0"], {}, "feed-zero"],
    ["a rate is negative", [day, "2026-10-29,-8,64"], {}, "feed-zero"],
    ["a rate is no number", [day, "2026-10-29,8,NaN"], {}, "feed-zero"],
    ["a rate has an exponent", [day, "2026-10-29,8,6.4e1"], {}, "feed-zero"],
    ["the columns were exchanged", [day, "2026-10-29,64,8"], {}, "feed-inverted"],
    ["it rose by more than a tenth", [day, "2026-10-29,8,70.5"], {}, "feed-jump"],
    ["it fell by more than a tenth", [day, "2026-10-29,8,57.5"], {}, "feed-jump"],
    ["a decimal point was lost", [day, "2026-10-29,8,641"], {}, "feed-jump"],
  ];
  test.each(table)("refuses when %s", (_why, lines, changed, code) => {
    const rows = rowsOf([head, ...lines].join("\n"));
    expect(referenceOf(rows, pairOf("HKD/PHP"), { ...limits, ...changed })).toMatchObject({ code });
  });

  test.each(["2026-10-29,8,70.4", "2026-10-29,8,57.6"])(
    "quotes at the limit itself: %s",
    (line) => {
      const rows = rowsOf([head, day, line].join("\n"));
      expect(referenceOf(rows, pairOf("HKD/PHP"), limits).ok).toBe(true);
    },
  );

  test.each([
    ["no header", "2026-10-28,8,64"],
    ["a missing column", `${head}\n2026-10-28,8`],
    ["no day", `${head}\n28.10.2026,8,64`],
    ["days that go back", `${head}\n${day}\n2026-10-27,8,64`],
  ])("a file with %s is no feed", (_what, text) => {
    expect(parseFeed(text)).toMatchObject({ ok: false, code: "feed-malformed" });
  });
});
