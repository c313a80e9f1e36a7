// Money that comes back, on a whole system: returns in part and whole, a recall and its answers, and a
// cancellation before the pay-out. Both cores are told, both sides have receipts that verify, and the log
// stands before every auditor.
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Transfer, TransferRequest } from "@sealane/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-returns-"));
let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

const request = (n: number, account = "+639170000001"): TransferRequest => ({
  payer: { account: `+8529000${String(n).padStart(4, "0")}` },
  payee: { participant: "ph-wallet.example", account },
  amount: { currency: "HKD", amount: "1000.00" },
});

/** Sent and, unless told otherwise, paid out. */
const sent = async (n: number, account?: string, status = "credited"): Promise<Transfer> => {
  const options = { idempotencyKey: randomUUID(), waitSeconds: 10 };
  const { transferId } = await system.hk.send(request(n, account), options);
  return eventually(`${transferId} is ${status}`, async () => {
    const now = await system.hk.get(transferId);
    return now.status === status ? now : undefined;
  });
};

const hkBalance = async (n: number): Promise<string> => {
  const { stack } = system;
  const token = readFileSync(stack.home.keys("hk-wallet", "core.token"), "utf8").trim();
  const account = encodeURIComponent(`+8529000${String(n).padStart(4, "0")}`);
  const url = `http://127.0.0.1:${stack.ports.hkCore}/v1/accounts/${account}`;
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  return ((await answer.json()) as { balance: string }).balance;
};

const wait = () => ({ idempotencyKey: randomUUID(), waitSeconds: 10 });

const credited = (side: "hk" | "ph", id: string): Promise<Transfer> =>
  eventually(`${id} is credited`, async () => {
    const now = await system[side].get(id);
    return now.status === "credited" ? now : undefined;
  });

describe("a return", () => {
  it("in parts and whole goes back to the account that sent it, with a receipt that verifies", async () => {
    const one = await sent(1);
    const { currency, amount } = one.received ?? { currency: "", amount: "" };
    const part = await system.ph.giveBack(
      one.transferId,
      { amount: { currency, amount: "1000.00" }, reason: "AM09" },
      wait(),
    );
    expect(part).toMatchObject({ status: "sealed", returnOf: one.transferId, reason: "AM09" });
    const rest = await system.ph.giveBack(one.transferId, { reason: "AC04" }, wait());
    expect(rest.status).toBe("sealed");
    for (const { transferId } of [part, rest]) {
      const there = await credited("hk", transferId);
      expect(there).toMatchObject({ role: "payee", returnOf: one.transferId });
      await credited("ph", transferId);
    }
    // The fee stays with the operator: what was converted comes back, to the cent.
    expect(await hkBalance(1)).toBe("995.00");
    for (const side of [system.hk, system.ph]) {
      expect(await side.get(one.transferId)).toMatchObject({
        status: "credited",
        returned: { currency, amount },
        returns: [part.transferId, rest.transferId],
      });
    }
    const over = system.ph.giveBack(one.transferId, {}, wait());
    await expect(over).rejects.toMatchObject({ problem: { code: "return-exceeds" } });
    const receipt = join(folder, "return.receipt");
    writeFileSync(receipt, await system.hk.receipt(rest.transferId));
    const verified = await runSealane(system, ["verify", receipt]);
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
  });

  it("of what could not be credited gives the core's reason, and is made once under one key", async () => {
    const one = await sent(2, "+639170000995", "sealed");
    await eventually("the exception is known", async () => {
      return (await system.ph.get(one.transferId)).creditException === "AC06";
    });
    const options = wait();
    const asked = { reason: "AC06", bearer: "payee" } as const;
    const first = await system.ph.giveBack(one.transferId, asked, options);
    const again = await system.ph.giveBack(one.transferId, asked, options);
    expect(again.transferId).toBe(first.transferId);
    await credited("hk", first.transferId);
    expect(await hkBalance(2)).toBe("1000.00");
    const stranger = system.hk.giveBack(one.transferId, {}, wait());
    await expect(stranger).rejects.toMatchObject({ problem: { code: "return-not-yours" } });
  });

  it("signed many times at once never gives back more than there was", async () => {
    const one = await sent(3);
    const { currency } = one.received ?? { currency: "" };
    const amount = { currency, amount: "3000.00" };
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, () => system.ph.giveBack(one.transferId, { amount }, wait())),
    );
    const stood = all.flatMap((each) =>
      each.status === "fulfilled" && each.value.status === "sealed" ? [each.value] : [],
    );
    expect(stood.length).toBeGreaterThan(0);
    expect(stood.length).toBeLessThan(3);
    const { returned } = await system.ph.get(one.transferId);
    expect(returned?.amount).toBe(`${stood.length * 3000}.00`);
  });
});

describe("a recall", () => {
  it("is put to the payee's core, and answered by a return", async () => {
    const one = await sent(4);
    const asked = await system.hk.recall(one.transferId, { reason: "DUPL" }, wait());
    expect(asked).toMatchObject({ recallOf: one.transferId });
    await credited("hk", asked.transferId);
    const now = await system.hk.get(one.transferId);
    expect(now.recall).toMatchObject({ status: "returned", reason: "DUPL" });
    const [back = ""] = now.returns ?? [];
    expect(await credited("hk", back)).toMatchObject({ reason: "FOCR" });
    expect(await hkBalance(4)).toBe("995.00");
  });

  it("is refused for the reason that the payee's core gives", async () => {
    const one = await sent(5, "+639170000998");
    const asked = await system.hk.recall(one.transferId, { reason: "FRAD" }, wait());
    const refused = await eventually("it is refused", async () => {
      const now = await system.hk.get(asked.transferId);
      return now.status === "rejected" ? now : undefined;
    });
    expect(refused.reason).toBe("CUST");
    expect((await system.ph.get(one.transferId)).recall).toMatchObject({
      status: "refused",
      answer: "CUST",
    });
    await expect(system.ph.refuseRecall(one.transferId, "LEGL")).rejects.toMatchObject({
      problem: { code: "recall-unknown" },
    });
  });
});

describe("the sender's cancellation", () => {
  it("before the pay-out brings everything back, with the fee, and stops the pay-out", async () => {
    // Its core fails the first three credits: time enough to cancel.
    const one = await sent(6, "+639170000996", "sealed");
    const asked = await system.hk.cancel(one.transferId, { waitSeconds: 10 });
    expect(asked).toMatchObject({ recallOf: one.transferId });
    await credited("hk", asked.transferId);
    const now = await system.hk.get(one.transferId);
    expect(now).toMatchObject({ recall: { status: "returned", cancel: true } });
    const [back = ""] = now.returns ?? [];
    await credited("hk", back);
    expect(await hkBalance(6)).toBe("1000.00");
  });

  it("after the pay-out is too late", async () => {
    const one = await sent(7);
    await expect(system.hk.cancel(one.transferId)).rejects.toMatchObject({
      problem: { status: 409, code: "not-cancellable" },
    });
    // The ledger says so too, whatever the adapter knows.
    const asked = await system.hk.recall(one.transferId, { cancel: true }, wait());
    expect(asked).toMatchObject({ status: "rejected", code: "not-cancellable", reason: "ARDT" });
  });
});

it("leaves a log that stands, to the cent, in one window", async () => {
  const log = openAuditedLog(system);
  await eventually("everything has ended", () => log.nothingPending());
  expect((await log.audit()).findings).toEqual([]);
  expect(await log.balancesDiffer()).toEqual([]);
  const report = await sealaneJson(system, ["audit", `${system.stack.urls["ledger"] ?? ""}/log`]);
  expect(report).toMatchObject({ ok: true });
});
