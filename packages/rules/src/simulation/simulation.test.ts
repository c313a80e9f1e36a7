// A few hundred runs of the simulator, every time; `npm run simulate -- --runs 10000` does more.
import { describe, expect, it } from "vitest";
import { simulate, type RunReport } from "./index.ts";

const runs = 300;

/** Seeds that once found something. */
const found: readonly (readonly [seed: number, what: string])[] = [
  [2_216, "a core was told of a seal and of a credit under one number"],
  [1_200, "the last message of an inbox was lost, and nothing came after it"],
];

const commandOf = ({ seed, detail }: RunReport): string =>
  `${detail}\n  npm run simulate -- --seed ${seed}`;

describe("the simulator", () => {
  it(`keeps every promise in ${runs} runs, and meets every kind of fault`, () => {
    const counts = new Map<string, number>();
    const failed: string[] = [];
    let entries = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const report = simulate(seed);
      if (!report.ok) failed.push(commandOf(report));
      entries += report.entries;
      for (const [what, times] of Object.entries(report.counts)) {
        counts.set(what, (counts.get(what) ?? 0) + times);
      }
    }
    expect(failed).toEqual([]);
    // A simulator that does nothing keeps every promise too.
    expect(entries).toBeGreaterThan(runs * 10);
    for (const what of met) expect([what, counts.get(what) ?? 0]).not.toEqual([what, 0]);
  }, 300_000);

  it.each(found)("seed %i: %s", (seed) => {
    expect(simulate(seed)).toMatchObject({ ok: true });
  });

  it("is the same run for the same seed", () => {
    expect(simulate(7)).toEqual(simulate(7));
  });
});

/** What has to happen somewhere in the runs for them to mean something. */
const met = [
  "crash",
  "pause",
  "unknown-commit",
  "clock",
  "duplicate",
  "reorder",
  "loss",
  "redeliver",
  "witness",
  "forgery",
  "fenced",
  "lane taken",
  "sealed",
  "committed",
  "rejected",
  "expired",
  "cancelled",
  "credited",
  "window-cut",
  "settlement",
  "refused request-mismatch",
  "refused quote-used",
  "refused insufficient-funds",
  "refused lane-unsealed",
  "refused lane-clock",
  "dead letter key-revoked",
  "dead letter signature-wrong",
];
