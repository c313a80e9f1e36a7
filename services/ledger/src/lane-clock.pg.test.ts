// A clock that jumps, on a lane with a real Postgres: log time does not jump with it, nothing new is
// reserved, what is open still ends, and all goes on when the clock is right again.
import {
  commandSchema,
  parseTime,
  readNote,
  readStatement,
  refusalSchema,
  type Refusal,
} from "@sealane/protocol";
import { makeWorld, origin, policy, say, testKeys, type TestKey } from "@sealane/rules/testing";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { makeClockWatch } from "./clock-watch.ts";
import { openTestSchema, startTestLane, type TestLane } from "./test-lane.ts";

const hourMs = 3_600_000;
const material = ({ name, seed, vkey, key }: TestKey) =>
  ({ name, seed, vkey, type: 1, keyId: key.keyId, publicKey: key.publicKey }) as const;
const frame = (kind: string, { note }: { readonly note: string }): string =>
  JSON.stringify(commandSchema.parse({ v: 1, kind, note }));

let schema: Awaited<ReturnType<typeof openTestSchema>>;
let lane: TestLane;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(async () => {
  await lane.stop();
  await schema.close();
});

const eventually = (look: () => void): Promise<void> => vi.waitFor(look, { timeout: 10_000 });

const refusals = (): Refusal[] =>
  lane.published
    .filter(({ topic }) => topic === "inbox.hk-wallet.example")
    .flatMap(
      ({ value }) => (JSON.parse(value.toString()) as { items?: { note?: string }[] }).items ?? [],
    )
    .flatMap(({ note }) => {
      const parsed = readNote(note ?? "");
      const read = parsed.ok ? readStatement(parsed.note, "refusal", refusalSchema) : undefined;
      return read?.ok === true ? [read.statement.body] : [];
    });

test("a clock that jumps an hour ahead stops reserving, and moves log time by a second", async () => {
  const world = makeWorld();
  const keys = world.keys();
  const history = world.keyLog.history();
  const trueMs = world.nowMs() + 1_000;
  let skewMs = 0;
  const watch = makeClockWatch({
    policy,
    toleranceMs: 2_000,
    wall: () => trueMs + skewMs,
    mono: () => 0,
  });
  for (const witness of ["w1", "w2", "w3"]) watch.observe(witness, trueMs, 0, 0);
  const sheet = say.rateSheet(keys, say.makeSheet({ number: 1 }, world.nowMs()));
  const priced = { sheet: sheet.body, hash: say.sheetHash(sheet) };
  const intent = (key: string) => say.intent(keys, say.makeTerms(priced, trueMs, { key }));
  const fund = (participant: string, currency: string) =>
    say.advance(keys, { key: currency, participant, currency, amount: "1000000.00" });
  const first = intent("before the jump");
  const lines = [
    frame("rate-sheet", sheet),
    frame("advance", fund("hk-wallet.example", "HKD")),
    frame("advance", fund("fx-desk.example", "PHP")),
    frame("intent", first),
  ];
  lane = startTestLane({
    sql: schema.sql,
    dir: schema.dir,
    origin,
    keys: () => ({ keys, cited: { size: history.size, root: history.roots[history.size] ?? "" } }),
    history: () => history,
    clock: watch.clock,
    clockTrouble: watch.trouble,
    entryKey: material(testKeys.entry),
    checkpointKey: material(testKeys.checkpoint),
    records: lines.map((line, at) => ({ offset: BigInt(at), value: Buffer.from(line) })),
  });
  const state = () => lane.writer.state();
  await eventually(() => expect(state()?.open.has(first.body.id)).toBe(true));

  skewMs = hourMs;
  const second = intent("in between");
  await lane.push(frame("intent", second));
  await eventually(() =>
    expect(refusals()).toContainEqual(
      expect.objectContaining({ id: second.body.id, code: "lane-clock", final: false }),
    ),
  );
  for (const { time } of refusals()) expect(parseTime(time)).toBeLessThanOrEqual(trueMs + 1_001);
  expect(state()?.logTimeMs).toBeLessThanOrEqual(trueMs + 1_001);
  // It did not expire by the jump; and it can still be taken back.
  expect(state()?.open.has(first.body.id)).toBe(true);
  await lane.push(frame("cancellation", say.cancellation(keys, { id: first.body.id }, first.note)));
  await eventually(() => expect(state()?.open.has(first.body.id)).toBe(false));

  skewMs = 0;
  await lane.push(frame("intent", second));
  await eventually(() => expect(state()?.open.has(second.body.id)).toBe(true));
});
