// Sheets over time: numbers that only grow, whatever is lost; when the next one is due; what stops it.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { genesisMs, makeFundedWorld, origin, say, testKeys } from "@sealane/rules/testing";
import { parseTime } from "@sealane/protocol";
import { verifierFor, parseNote } from "@sealane/tlog";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { renewBeforeMs } from "./rate-desk.ts";
import { openStateFile } from "./state-file.ts";
import { makeTestDesk } from "./test-desk.ts";

const deskAt = (file: string, ms: number) => makeTestDesk({ origin, ...testKeys.fx }, file, ms);

const directory = mkdtempSync(join(tmpdir(), "sealane-fx-desk-"));
afterAll(() => rmSync(directory, { recursive: true }));
let path: string;
let count = 0;
beforeEach(() => {
  count += 1;
  path = join(directory, `state-${count}`);
});

const numbers = (sheets: readonly { number: number }[]) => sheets.map(({ number }) => number);

describe("sheets", () => {
  test("are signed, in force before and after now, with limits in the pair's own currency", async () => {
    const { desk, sheets, sent } = deskAt(path, genesisMs);
    await desk.tick(true);
    const [first] = sheets();
    expect(first).toMatchObject({
      pair: { from: "HKD", to: "PHP" },
      rate: "8.075946",
      reference: { rate: "8.116529", date: "2026-10-30", feed: "replay" },
      maxTransfer: "500000.00",
    });
    expect(parseTime(first!.from)).toBe(genesisMs - 3_000);
    expect(parseTime(first!.quoteUntil)).toBe(genesisMs + 600_000);
    expect(parseTime(first!.honourUntil)).toBe(genesisMs + 660_000);
    const { text, signatures } = parseNote(sent[0]!.note);
    expect(verifierFor(testKeys.fx.key).verify(text, signatures[0]!.signature)).toBe(true);
  });

  test("are taken by the ledger's own rules, and the next one too", async () => {
    const world = makeFundedWorld();
    const keys = world.keys();
    const made = deskAt(path, world.nowMs());
    await made.desk.tick(true);
    made.logAll();
    made.at(world.nowMs() + 600_000 - renewBeforeMs);
    await made.desk.tick(false);
    const forWorld = made.sheets().filter(({ pair }) => pair.from === "HKD");
    expect(forWorld).toHaveLength(2);
    for (const sheet of forWorld) {
      const { outcome } = world.run([say.rateSheet(keys, sheet)]);
      expect(outcome.deadLetters).toEqual([]);
      expect(outcome.entries).toHaveLength(1);
    }
  });

  test("follow one another just before quoting would end, not earlier", async () => {
    const { desk, sheets, at, logAll } = deskAt(path, genesisMs);
    await desk.tick(true);
    logAll();
    at(genesisMs + 600_000 - renewBeforeMs - 1);
    await desk.tick(false);
    expect(sheets()).toHaveLength(2);
    at(genesisMs + 600_000 - renewBeforeMs);
    await desk.tick(false);
    expect(sheets()).toHaveLength(4);
  });
});

describe("numbers", () => {
  test("are seconds, and never the same for two sheets of the desk", async () => {
    const { desk, sheets } = deskAt(path, genesisMs);
    await desk.tick(true);
    const second = genesisMs / 1_000;
    expect(numbers(sheets())).toEqual([second + 1, second + 2]);
  });

  test.each([
    ["a restart at once", 0],
    ["a restart much later", 86_400_000],
    ["a clock that went back a day", -86_400_000],
  ])("grow across %s", async (_what, laterMs) => {
    const before = deskAt(path, genesisMs);
    await before.desk.tick(true);
    await before.file.stop();
    const after = deskAt(path, genesisMs + laterMs);
    await after.desk.tick(true);
    expect(after.sheets()).toHaveLength(2);
    expect(Math.min(...numbers(after.sheets()))).toBeGreaterThan(
      Math.max(...numbers(before.sheets())),
    );
  });

  test("grow when the state file is lost", async () => {
    const before = deskAt(path, genesisMs);
    await before.desk.tick(true);
    const after = deskAt(`${path}-new`, genesisMs + 5_000);
    await after.desk.tick(true);
    expect(Math.min(...numbers(after.sheets()))).toBeGreaterThan(
      Math.max(...numbers(before.sheets())),
    );
  });

  test("are on disk before a sheet is sent, also when sending fails", async () => {
    const before = deskAt(path, genesisMs);
    before.breakKafka(new Error("no broker"));
    await before.desk.tick(true);
    expect(before.desk.statuses()[0]?.state).toBe("the sheet could not be published");
    const { state } = openStateFile(path, genesisMs, () => undefined);
    expect(state.sheets).toHaveLength(2);
    before.breakKafka(undefined);
    before.at(genesisMs + 4_999);
    await before.desk.tick(false);
    expect(before.sheets()).toHaveLength(0);
    before.at(genesisMs + 5_000);
    await before.desk.tick(false);
    expect(Math.min(...numbers(before.sheets()))).toBeGreaterThan(state.sheets.at(-1)!.number);
  });
});

describe("a restart", () => {
  test.each([
    ["keeps a logged sheet that is in force for more than a minute", 539_999, true, 0],
    ["replaces a logged sheet that ends within a minute", 540_000, true, 2],
    ["replaces a sheet that never was logged", 1_000, false, 2],
  ])("%s", async (_what, laterMs, isLogged, expected) => {
    const before = deskAt(path, genesisMs);
    await before.desk.tick(true);
    if (isLogged) before.logAll();
    await before.file.stop();
    const after = deskAt(path, genesisMs + laterMs);
    await after.desk.tick(true);
    expect(after.sheets()).toHaveLength(expected);
  });

  test("is refused on a damaged state file", () => {
    writeFileSync(path, "{");
    expect(() => deskAt(path, genesisMs)).toThrow("damaged");
  });

  test("finds a file that nobody else can read", async () => {
    const { file } = deskAt(path, genesisMs);
    await file.save();
    expect(statSync(path).mode & 0o077).toBe(0);
  });
});

describe("readiness", () => {
  test("comes with the log, and goes with the end of quoting", async () => {
    const { desk, at, logAll } = deskAt(path, genesisMs);
    expect(desk.statuses()[0]?.state).toBe("no sheet is in force");
    await desk.tick(true);
    expect(desk.statuses()[0]?.state).toBe("the sheet is not logged yet");
    logAll();
    expect(desk.statuses().map(({ state }) => state)).toEqual(["ok", "ok"]);
    at(genesisMs + 600_000);
    expect(desk.statuses()[0]?.state).toBe("no sheet is in force");
  });

  test("a feed that is refused publishes nothing, says why, and is tried again", async () => {
    const { desk, sheets, at, feed, logAll } = deskAt(path, genesisMs);
    await desk.tick(true);
    logAll();
    feed({ ok: false, code: "feed-jump", detail: "HKD/PHP went from 8 to 80" });
    at(genesisMs + 599_000);
    await desk.tick(false);
    expect(sheets()).toHaveLength(2);
    at(genesisMs + 600_000);
    expect(desk.statuses()[0]?.state).toBe("feed-jump: HKD/PHP went from 8 to 80");
  });
});

describe("a withdrawal", () => {
  test("is signed, stops the pair across restarts, and ends with resume", async () => {
    const before = deskAt(path, genesisMs);
    await before.desk.tick(true);
    before.logAll();
    const withdrawn = await before.desk.withdraw("HKD/PHP", "wrong-feed");
    expect(withdrawn?.number).toBe(before.sheets()[0]?.number);
    expect(before.sent.at(-1)?.kind).toBe("rate-withdrawal");
    expect(before.desk.statuses().map(({ state }) => state)).toEqual([
      "withdrawn: wrong-feed",
      "ok",
    ]);
    await before.file.stop();
    const after = deskAt(path, genesisMs + 700_000);
    await after.desk.tick(true);
    expect(after.sheets().map(({ pair }) => pair.from)).toEqual(["PHP"]);
    await after.desk.resume("HKD/PHP");
    await after.desk.tick(false);
    expect(after.sheets().map(({ pair }) => pair.from)).toEqual(["PHP", "HKD"]);
  });

  test("never overtakes the sheet that it withdraws", async () => {
    const { desk, sent } = deskAt(path, genesisMs);
    const issuing = desk.tick(true);
    const withdrawing = desk.withdraw("HKD/PHP", "at-once");
    await Promise.all([issuing, withdrawing]);
    const kinds = sent.map(({ kind }) => kind);
    expect(kinds.indexOf("rate-withdrawal")).toBeGreaterThan(kinds.indexOf("rate-sheet"));
  });

  test("of a pair without a sheet only stops it", async () => {
    const { desk, sent, sheets } = deskAt(path, genesisMs);
    expect(await desk.withdraw("HKD/PHP", "maintenance")).toBeUndefined();
    await desk.tick(true);
    expect(sent.map(({ kind }) => kind)).toEqual(["rate-sheet"]);
    expect(sheets()[0]?.pair.from).toBe("PHP");
  });
});
