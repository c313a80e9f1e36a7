// The part of the fault suite that CI runs: one case of each kind, on one system, with all oracles after
// each. `npm run faults` runs them all.
import { afterAll, describe, expect, it } from "vitest";
import { verdictLine } from "../src/oracles/index.ts";
import { ciCases } from "./ci.ts";
import { allCases } from "./registry.ts";
import { makeRunner } from "./run-case.ts";

const runner = makeRunner({ say: () => undefined });
afterAll(() => runner.stop());

describe("after each fault all fifteen oracles hold", () => {
  const cases = allCases.filter(({ name }) => ciCases.has(name));

  it("there is a case for each name", () => {
    expect(cases.map(({ name }) => name).toSorted()).toEqual([...ciCases].toSorted());
  });

  it.each(cases)(
    "$name: $what",
    async (one) => {
      const { outcome, faults, verdicts } = await runner.run(one);
      const broken = verdicts.filter(({ verdict }) => verdict === "broken");
      expect([...faults, ...broken.map(verdictLine)]).toEqual([]);
      expect(outcome).toBe("passed");
      expect(verdicts).toHaveLength(15);
    },
    180_000,
  );
});
