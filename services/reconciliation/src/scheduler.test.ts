// Cuts by schedule: once when they are due, in the corridor's time zone, on no holiday of either side; and
// nothing is sent that the lane would refuse.
import { commandSchema, readNote, readStatement, windowCutSchema } from "@sealane/protocol";
import type { AuditState } from "@sealane/rules";
import {
  deadCodes,
  genesisMs,
  innerKinds,
  lineOf,
  makeSettlingWorld,
  say,
  testKeys,
  type GenesisOptions,
} from "@sealane/rules/testing";
import { describe, expect, it } from "vitest";
import { cutDue, type SchedulerDeps } from "./scheduler.ts";

/** The tests' log begins on a Sunday at 15:00 in Hong Kong. */
const schedule = {
  timeZone: "Asia/Hong_Kong",
  times: ["17:00"],
  weekdays: [1, 7],
  holidays: [
    { calendar: "hk", dates: [] },
    { calendar: "ph", dates: ["2026-11-23"] },
  ],
};
const dueMs = genesisMs + 2 * 3_600_000;
const dayMs = 86_400_000;

const open = (options: GenesisOptions = {}) => {
  const world = makeSettlingWorld({ corridor: { schedule }, ...options });
  const sent: string[] = [];
  const warned: string[] = [];
  let nowMs = genesisMs;
  const { name } = testKeys.scheduler;
  const deps: SchedulerDeps = {
    lane: 0,
    origin: world.origin,
    signer: { name, signLine: (text) => Promise.resolve(lineOf(testKeys.scheduler, text)) },
    books: () =>
      ({ settlement: world.state.settlement, next: world.state.size }) as unknown as AuditState,
    history: () => world.keyLog.history(),
    send: (_topic, value) => {
      sent.push(value);
      return Promise.resolve();
    },
    clock: () => nowMs,
    log: { info: () => undefined, warn: (_fields, message) => void warned.push(message) },
  };
  const told = new Set<string>();
  const at = (ms: number): Promise<number> => {
    nowMs = ms;
    return cutDue(deps, told);
  };
  /** The newest command, as the lane decides it. */
  const decide = (ms: number) => {
    const frame = commandSchema.parse(JSON.parse(sent.at(-1) ?? ""));
    const note = readNote("note" in frame ? frame.note : "");
    const read = note.ok ? readStatement(note.note, "window-cut", windowCutSchema) : undefined;
    if (read?.ok !== true) throw new Error("no cut");
    const signing = { signers: [testKeys.scheduler] };
    return world.run([say.windowCut(world.keys(), read.statement.body, signing)], { atMs: ms });
  };
  return { world, sent, warned, at, decide };
};

describe("the scheduler", () => {
  it("cuts a window once when it is due, and not again by the same time of its clock", async () => {
    const { world, at, decide } = open();
    world.transfer({ key: "a" });
    expect(await at(dueMs - 1)).toBe(0);
    expect(await at(dueMs)).toBe(1);
    // Twice before the books show it: the second does no harm.
    expect(await at(dueMs + 1_000)).toBe(1);
    const batch = decide(dueMs + 1_500);
    expect(innerKinds(batch)[0]).toBe("window-cut");
    expect(deadCodes(decide(dueMs + 1_600))).toEqual([]);
    expect(await at(dueMs + 2_000)).toBe(0);
    expect(await at(dueMs + 3_600_000)).toBe(0);
  });

  it("cuts on no holiday of either side, nor on another weekday", async () => {
    const { at, decide } = open();
    await at(dueMs);
    decide(dueMs + 10);
    expect(await at(dueMs + dayMs)).toBe(0);
    expect(await at(dueMs + 2 * dayMs)).toBe(0);
    expect(await at(dueMs + 7 * dayMs)).toBe(1);
  });

  it("catches up after it was away, once", async () => {
    const { at, decide } = open();
    expect(await at(dueMs + 9 * dayMs)).toBe(1);
    decide(dueMs + 9 * dayMs + 10);
    expect(await at(dueMs + 9 * dayMs + 20)).toBe(0);
  });

  it("does not cut what an operator has cut after it was due", async () => {
    const { world, at, sent } = open();
    world.run([say.windowCut(world.keys(), { number: 0 })], { atMs: dueMs + 5 });
    expect(await at(dueMs + 10)).toBe(0);
    expect(sent).toEqual([]);
  });

  it("sends nothing that the lane would refuse, and warns of it once", async () => {
    const { world, at, sent, warned } = open();
    const window = world.state.settlement.open.get("hkd-php");
    expect(window).toBeUndefined();
    const flows = new Map<string, bigint>();
    for (let n = 0; n < 10_000; n += 1) {
      flows.set(`w-${n}.example:position fx-desk.example:position HKD`, 1n);
    }
    world.state.settlement.open.set("hkd-php", {
      corridor: "hkd-php",
      number: 0,
      from: 0,
      sinceMs: 0,
      transfers: 10_000,
      flows,
    });
    expect([await at(dueMs), await at(dueMs + 1_000)]).toEqual([0, 0]);
    expect([sent, warned]).toEqual([[], ["a window that is due cannot be cut"]]);
  });
});
