// A net debtor that does not pay, in a whole system: its bank refuses the payment, the deadline (a minute,
// the shortest that a corridor can have) passes, one operator suspends it, two let its cover pay, the
// operator stands in for the rest, and the others get their money. The shortfall is a break until it is
// paid back. Nothing of it goes before its time, nor twice.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TransferRequest } from "@sealane/client";
import { demoWorld, migrateAll, startStackBank } from "@sealane/infra";
import type { RunningBank } from "@sealane/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copySchema, differencesFromCopy, dropTables } from "./database-copy.ts";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const debtor = "hk-wallet.example";
let system: WholeSystem;
let bank: RunningBank;
beforeAll(async () => {
  const corridors = demoWorld.corridors.map((one) => ({ ...one, payWithinMinutes: 1 }));
  system = await startWholeSystem({ corridors });
  bank = await startStackBank(system.stack.home);
});
afterAll(async () => {
  await bank.close();
  await system.stop();
});

const request: TransferRequest = {
  payer: { account: "+85290000001" },
  payee: { participant: "ph-wallet.example", account: "+639170000001" },
  amount: { currency: "HKD", amount: "1000.00" },
};
const send = () => system.hk.send(request, { idempotencyKey: randomUUID(), waitSeconds: 10 });
/** How it ended, or why it was not taken at all. */
const sentOrCode = (): Promise<string> =>
  send().then(
    ({ code, status }) => code ?? status,
    (error: { problem?: { code?: string } }) => error.problem?.code ?? "unknown",
  );

const key = (person: string): string => system.stack.home.keys(person, "operator.key");
const sealane = (...args: string[]) => sealaneJson(system, args);
const refusal = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await runSealane(system, [...args, "--json"]);
  expect(status).toBe(1);
  return `${stdout}${stderr}`;
};

/** Hands in the bank's newest statement with its file. */
const handIn = async (): Promise<void> => {
  const newest = (kind: string): string =>
    bank.path(bank.documents().findLast((one) => one.kind === kind)?.name ?? "");
  await sealane("settle", "send", newest("note"), "--camt", newest("camt.053"));
};

const deposit = async (reference: string, minor: bigint): Promise<void> => {
  await bank.move({ reference, account: "SEALHK0001HKD", side: "credit", minor });
  await handIn();
};

type Net = { participant: string; status: string; why?: string; reason?: string };
type View = { status: string; payBy: string; nets: (Net & { payments?: unknown })[] };
const show = async (): Promise<View> =>
  (await sealane("window", "show", "hkd-php/0")) as unknown as View;
const netOf = async (participant: string) =>
  (await show()).nets.find((one) => one.participant === participant);

let made = 0;
/** First signature by alice, the second by bob, who hands it in. @returns the file */
const declare = async (): Promise<string> => {
  made += 1;
  const out = system.stack.home.path(`default-${made}.note`);
  const who = ["--participant", debtor, "--operator-key", key("alice"), "--out", out];
  await sealane("settle", "default", "hkd-php/0", ...who);
  return out;
};
const cosign = (file: string): string[] => {
  return ["settle", "cosign", file, "--operator-key", key("bob")];
};

type Breaks = { breaks: { id: string; state: string; expected: string; found: string }[] };
const defaults = async (): Promise<Breaks["breaks"]> =>
  ((await sealane("break", "list", "--kind", "default", "--state", "all")) as unknown as Breaks)
    .breaks;

describe("a net debtor that does not pay", () => {
  it("owes what its bank refused, and nobody may declare it before the deadline", async () => {
    await deposit("DEPOSIT-1", 30_000n);
    expect((await send()).status).toMatch(/sealed|credited/);
    expect((await send()).status).toMatch(/sealed|credited/);
    await sealane("window", "cut", "hkd-php", "--number", "0", "--operator-key", key("alice"));
    await eventually("the window is cut", async () => {
      const { stdout } = await runSealane(system, ["window", "show", "hkd-php/0", "--json"]);
      return stdout.includes('"payBy"');
    });
    const out = system.stack.home.path("instructions.xml");
    await sealane("settle", "instructions", "hkd-php/0", "--out", out);
    bank.inject({ kind: "partial", account: "SEALHK0001HKD", reason: "AM04" });
    await bank.take(readFileSync(out));
    await handIn();
    await eventually("it is held", async () => (await netOf(debtor))?.status === "held");
    expect(await netOf(debtor)).toMatchObject({ why: "line-rejected", reason: "AM04" });
    expect((await netOf("fx-desk.example"))?.status).toBe("held");
    expect(await refusal(...cosign(await declare()))).toContain("not-overdue");
  });

  it("is overdue then, suspended by one, and its cover pays by the word of two", async () => {
    const { payBy } = await show();
    await eventually(
      "log time is past the deadline",
      async () => {
        // Log time moves with the log.
        await send();
        return Date.now() > Date.parse(payBy) + 1_000;
      },
      90_000,
    );
    expect(await refusal(...cosign(await declare()))).toContain("not-suspended");
    await sealane("keys", "suspend", debtor, "--operator", key("alice"));
    await eventually("it may not pay any more", async () => {
      return (await sentOrCode()) === "payer-suspended";
    });
    const file = await declare();
    await sealane(...cosign(file));
    await eventually("it is in default", async () => (await netOf(debtor))?.status === "defaulted");
    expect((await netOf(debtor))?.payments).toEqual([
      { currency: "HKD", cover: "300.00", shortfall: "1700.00" },
    ]);
    expect(await refusal("settle", "send", file)).toContain("window-settled");
    const [one, ...more] = await eventually("there is a break", async () => {
      const all = await defaults();
      return all.length > 0 && all;
    });
    expect([one, more]).toMatchObject([
      { state: "open", expected: "2000.00", found: "300.00" },
      [],
    ]);
    expect(await sealane("audit", "--balances")).toMatchObject({ ok: true });
  });

  it("holds up nobody: the operator stands in at the bank, and the window is settled", async () => {
    await bank.cover("hkd-php/0/0", "SEALOP0000HKD");
    await handIn();
    const view = await eventually("the window is settled", async () => {
      const now = await show();
      return now.status === "settled" && now;
    });
    const others = view.nets.filter(({ participant }) => participant !== debtor);
    expect(others.map(({ status }) => status)).toEqual(others.map(() => "settled"));
    expect((await netOf(debtor))?.status).toBe("defaulted");
    expect(await sealane("audit", "--balances")).toMatchObject({ ok: true });
  });

  it("pays its shortfall back first, which ends the break, and is let in again by two", async () => {
    await deposit("DEPOSIT-2", 200_000n);
    await eventually("the break has ended", async () => {
      return (await defaults()).every(({ state }) => state === "cleared");
    });
    type Positions = { positions: { participant: string; liquidity: string; unbacked: string }[] };
    const { positions } = (await sealane("settle", "positions")) as unknown as Positions;
    const own = positions.find(({ participant }) => participant === debtor);
    // 2,000.00 came, 1,700.00 of it for the shortfall.
    expect(Number(own?.liquidity) - Number(own?.unbacked)).toBe(300);
    const out = system.stack.home.path("resume.statement");
    await sealane("keys", "resume", debtor, "--operator", key("alice"), "--out", out);
    await sealane("keys", "cosign", out, "--key", key("bob"), "--send");
    await eventually("it pays again", async () => {
      return /sealed|credited/.test(await sentOrCode());
    });
    expect(await sealane("audit", "--balances")).toMatchObject({ ok: true });
  });

  it("is the same story to the byte when all of reconciliation's tables are dropped", async () => {
    const { stack } = system;
    await stack.end("reconciliation");
    await copySchema(system, "reconciliation");
    await dropTables(system, "reconciliation");
    await migrateAll(stack.home, stack.databaseUrl);
    await stack.start("reconciliation");
    // When it was migrated is no part of it.
    const differences = () => differencesFromCopy(system, "reconciliation", ["applied_at"]);
    await eventually("all is built again", async () => (await differences()).length === 0, 60_000);
    expect(await defaults()).toMatchObject([{ state: "cleared", expected: "2000.00" }]);
    expect(await sealane("audit", "--balances")).toMatchObject({ ok: true });
  });
});
