// Dishonest returns: each is refused by our audit at its place and for its reason. The other verifiers'
// answers are in `test/src/independent`.
import { describe, expect, it } from "vitest";
import { audit, forgeReturns, makeReturnLog, returnForgeries } from "../testing/index.ts";

describe("a log with returns", () => {
  it("stands as it is", () => {
    const world = makeReturnLog();
    expect(world.entries).toHaveLength(14);
    expect(audit(world, world.entries)).toBe(14);
  });

  const named = returnForgeries.map((one) => [one[0], one] as const);
  it.each(named)("does not stand with %s", (_what, forgery) => {
    const { world, entries } = forgeReturns(forgery);
    const [, , position, code] = forgery;
    expect(audit(world, entries)).toEqual({ position, code });
  });
});
