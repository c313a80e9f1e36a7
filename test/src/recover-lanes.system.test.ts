// Of two lanes, one is put back to an old copy of its tables. It must not sign a second history; it is
// rebuilt by itself from what was published; and the other lane, in its own process, notices nothing.
import { readFileSync } from "node:fs";
import { auditLog } from "@sealane/cli";
import type { Transfer } from "@sealane/client";
import { transferIdOf } from "@sealane/protocol";
import { parsePolicy } from "@sealane/tlog";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { copySchema, restoreLane } from "./database-copy.ts";
import { eventually } from "./eventually.ts";
import { isQuiet, laneViews } from "./lane-views.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem({ lanes: 2 });
});
afterAll(() => system.stop());

/** With two lanes the first bit of an id says which of them decides. */
const laneOfKey = (key: string): number =>
  Number.parseInt(transferIdOf("hk-wallet.example", key).slice(0, 1), 16) >> 3;

let tried = 0;
const keyFor = (lane: number): string => {
  for (;;) {
    tried += 1;
    const key = `recover-lanes-${tried}`;
    if (laneOfKey(key) === lane) return key;
  }
};

const send = (lane: number): Promise<Transfer> => {
  const idempotencyKey = keyFor(lane);
  return eventually(`an outcome in lane ${lane}`, async () => {
    const request = {
      payer: { account: "+85290000001" },
      payee: { participant: "ph-wallet.example", account: "+639170000001" },
      amount: { currency: "HKD", amount: "100.00" },
      // What is open when the lane is put back has to be waited for.
      expiresInSeconds: 20,
    };
    const answer = await system.hk.send(request, { idempotencyKey, waitSeconds: 5 });
    return answer.final ? answer : undefined;
  });
};

const sent: Transfer[] = [];
const sendSome = async (lane: number, count: number): Promise<void> => {
  const all = await Promise.all(Array.from({ length: count }, () => send(lane)));
  expect(all.map((one) => [one.lane, one.status])).toEqual(
    all.map(() => [lane, expect.stringMatching(/^(?:sealed|credited)$/)]),
  );
  sent.push(...all);
};

const logged = (name: string, text: string): boolean =>
  readFileSync(system.stack.home.path("logs", `${name}.log`), "utf8").includes(text);

const timesTaken = (lane: number): number =>
  ["ledger", "ledger-2"]
    .flatMap((name) =>
      readFileSync(system.stack.home.path("logs", `${name}.log`), "utf8").split("\n"),
    )
    .filter((line) => line.includes(`"lane":${lane},`) && line.includes('"lane taken"')).length;

it("stops the lane that was put back, in every process, and goes on with the other", async () => {
  await Promise.all([sendSome(0, 15), sendSome(1, 15)]);
  await copySchema(system, "ledger");
  await Promise.all([sendSome(0, 15), sendSome(1, 15)]);
  await sealaneJson(system, ["export", "--out", "all", "--policy", "trust.policy"]);
  // What comes after the export is on the lane's entries topic only.
  await sendSome(1, 10);
  const taken = timesTaken(0);
  await restoreLane(system, "ledger", 1);
  // Its own process finds out with its next batch, the one that stands by when it takes the lane.
  const lost = send(1).catch((error: unknown) => error);
  for (const name of ["ledger-2", "ledger"]) {
    await eventually(
      `${name} refuses to sign`,
      () => Promise.resolve(logged(name, "refusing to sign")),
      60_000,
    );
  }
  await sendSome(0, 15);
  expect(timesTaken(0)).toBe(taken);
  await lost;
}, 180_000);

it("is rebuilt by recover, which has to be told which lane", async () => {
  const { pid } = system.stack.process("ledger");
  await system.stack.kill("ledger-2");
  const from = ["recover", "--from", "all/lane-1"];
  const unnamed = await runSealane(system, [...from, "--json"]);
  expect([unnamed.status, unnamed.stdout]).toEqual([1, expect.stringContaining("lane-unnamed")]);
  const wrong = await runSealane(system, [...from, "--lane", "0", "--json"]);
  expect([wrong.status, wrong.stdout]).toEqual([1, expect.stringContaining("lane-held")]);

  const told = await sealaneJson(system, [...from, "--lane", "1"]);
  expect(told).toMatchObject({ event: "recovered", ok: true, changed: true });
  expect(told["entries"]).toBeGreaterThan(Number(told["before"]));
  expect(told["entries"]).toBeGreaterThanOrEqual(Number(told["witnessed"]));
  await sendSome(0, 5);
  expect(system.stack.process("ledger").pid).toBe(pid);
}, 180_000);

it("goes on with both logs: nothing lost, nothing twice", async () => {
  await system.stack.start("ledger-2");
  await Promise.all([sendSome(0, 10), sendSome(1, 10)]);
  await eventually("everything has ended", () => isQuiet(system), 60_000);
  const policy = parsePolicy(readFileSync(system.stack.home.path("trust.policy"), "utf8"));
  const deskToken = readFileSync(system.stack.home.keys("auditor", "staff.token"), "utf8").trim();
  const ended = new Map<string, string>();
  for (const view of laneViews(system, 2)) {
    const log = openAuditedLog(view);
    const audit = await log.audit();
    expect(audit.findings).toEqual([]);
    expect(await log.balancesDiffer()).toEqual([]);
    for (const [id, { outcome }] of audit.transfers) {
      expect(ended.has(id), `${id} has one end`).toBe(false);
      ended.set(id, outcome);
    }
    const { ledger = "", reconciliation: balancesUrl } = view.stack.urls;
    const report = await auditLog({ log: `${ledger}/log`, policy, balancesUrl, deskToken });
    expect(report).toMatchObject({ ok: true, origin: view.origin });
  }
  for (const { transferId } of sent) expect(ended.get(transferId), transferId).toBe("committed");
}, 180_000);
