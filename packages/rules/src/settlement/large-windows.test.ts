// Windows of more legs than an entry takes: the log has each net in parts, and nobody who reads it whole,
// who audits it or who settles it by a bank's statement sees a difference to a small one.
import { joinNetParts, type WindowNet } from "@sealane/protocol";
import { describe, expect, test } from "vitest";
import {
  audit,
  bankLinesOf,
  clearingOf,
  cut,
  deadCodes,
  fx,
  innerKinds,
  makeRing,
  moreWallet,
  netsOf,
  putTogether,
  say,
  standingIn,
  takeApart,
  type World,
} from "../testing/index.ts";

const settleInParts = (world: World, nets: readonly WindowNet[], attempt = 0) => {
  const window = { corridor: "hkd-php", number: 0, attempt };
  const lines = bankLinesOf(nets);
  return world.run([say.handedIn(say.statementParts(world.keys(), { window, lines }, 100))]);
};

describe("a window with more legs than an entry takes", () => {
  test("is cut into parts: totals once, legs in order, and settled whole by one statement", () => {
    const world = makeRing(60, "gross");
    const parts = netsOf(cut(world));
    const own = parts.filter(({ participant }) => participant === fx);
    expect(own.map(({ part }) => part)).toEqual([
      { number: 1, of: 2 },
      { number: 2, of: 2 },
    ]);
    expect(own.map(({ legs }) => legs.length)).toEqual([100, 20]);
    expect(own.map(({ totals }) => totals.length)).toEqual([2, 0]);
    expect(parts.filter(({ part }) => part !== undefined)).toEqual(own);
    const nets = joinNetParts(parts);
    expect(nets.map(({ participant }) => participant)).toEqual(
      nets.map(({ participant }) => participant).toSorted(),
    );
    const batch = settleInParts(world, nets);
    expect(deadCodes(batch)).toEqual([]);
    const kinds = innerKinds(batch);
    expect(kinds.filter((kind) => kind === "settlement")).toHaveLength(nets.length);
    for (const currency of ["HKD", "PHP"]) {
      expect(clearingOf(world, currency)).toBe(0n);
      expect(standingIn(world, moreWallet(7), currency).exposure).toBe(0n);
    }
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });

  test("is settled under new references after an abort, and not under the old ones", () => {
    const world = makeRing(60, "bilateral");
    const nets = joinNetParts(netsOf(cut(world)));
    world.run([say.settlementAbort(world.keys(), { number: 0 })]);
    expect(deadCodes(settleInParts(world, nets))).toEqual(["settlement-aborted"]);
    const window = world.state.settlement.closed.get("hkd-php/0");
    const again = nets.map((net) => ({
      ...net,
      legs: [...(window?.nets.get(net.participant)?.legs ?? [])],
    }));
    expect(deadCodes(settleInParts(world, nets, 1))).toEqual(["line-unexpected"]);
    expect(deadCodes(settleInParts(world, again, 1))).toEqual([]);
    expect(audit(world, world.entries)).toBe(world.entries.length);
  });

  test("may not lack a part, nor have its parts turned, as every auditor says", () => {
    const world = makeRing(60, "gross");
    cut(world);
    const pieces = world.entries.map(takeApart);
    const at = pieces.findIndex(({ inner }) => inner.includes('"part":{"number":1,"of":2}'));
    const without = pieces.filter((_, place) => place !== at + 1);
    expect(audit(world, putTogether(without))).toEqual({
      position: at + 1,
      code: "derived-missing",
    });
    const turned = [...pieces];
    [turned[at], turned[at + 1]] = [turned[at + 1] as never, turned[at] as never];
    expect(audit(world, putTogether(turned))).toEqual({ position: at, code: "derived-missing" });
  });
});
