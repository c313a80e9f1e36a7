// Too little cover, through the public API of a whole system: of many transfers at once that each want a
// large part of the payer's cover, exactly as many are committed as it pays for; the others are refused
// with their reason; and what a rejection or a cancellation lets go can be sent again.
import { randomUUID } from "node:crypto";
import type { Transfer, TransferRequest } from "@sealane/client";
import { firstLiquidity } from "@sealane/infra";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const payer = "hk-wallet.example";
const cover = "1000000.00";
/** Six fit into the cover, and leave 100,000.00. */
const large = "150000.00";
const affordable = 6;
/** More than half of what the six leave: two do not fit at once. */
const rest = "80000.00";

let system: WholeSystem;
beforeAll(async () => {
  const liquidity = firstLiquidity.map((one) =>
    one.participant === payer ? { ...one, amount: cover } : one,
  );
  system = await startWholeSystem({ liquidity });
});
afterAll(async () => {
  await system.stop();
});

const send = (value: string, account = "+639170000001"): Promise<Transfer> => {
  const request: TransferRequest = {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account },
    amount: { currency: "HKD", amount: value },
  };
  return system.hk.send(request, { idempotencyKey: randomUUID(), waitSeconds: 20 });
};

const refusedForCover = { status: "rejected", code: "insufficient-funds", reason: "AM04" };

describe("a payer with too little cover", () => {
  it("gets exactly what it can pay for out of 200 concurrent transfers", async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => send(large)));
    const sealed = all.filter(({ status }) => status === "sealed" || status === "credited");
    expect(sealed).toHaveLength(affordable);
    const refused = all.filter((transfer) => !sealed.includes(transfer));
    expect(refused).toHaveLength(200 - affordable);
    for (const transfer of refused) expect(transfer).toMatchObject(refusedForCover);

    const log = openAuditedLog(system);
    const audit = await log.audit();
    expect(audit.findings).toEqual([]);
    // A request that was refused before it was reserved has no entry.
    expect([...audit.transfers.values()]).toEqual(
      sealed.map(() => expect.objectContaining({ outcome: "committed", sentMinor: 15_000_000n })),
    );
    expect(audit.balances.get(`${payer}:position HKD`)?.postedDebit).toBe(
      15_000_000n * BigInt(affordable),
    );
  });

  it("can send again what a rejection let go", async () => {
    expect(await send(rest, "+639170000991")).toMatchObject({ status: "rejected", reason: "AC04" });
    expect((await send(rest)).status).toMatch(/sealed|credited/);
    expect(await send(rest)).toMatchObject(refusedForCover);
  });

  it("cannot use what an open transfer holds, and can once it is cancelled", async () => {
    const held = await system.hk.send(
      {
        payer: { account: "+85290000001" },
        payee: { participant: "ph-wallet.example", account: "+639170000994" },
        amount: { currency: "HKD", amount: "15000.00" },
      },
      { idempotencyKey: randomUUID() },
    );
    await eventually("it is reserved", async () => {
      return (await system.hk.get(held.transferId)).status === "reserved";
    });
    expect(await send("15000.00")).toMatchObject(refusedForCover);
    await system.hk.cancel(held.transferId, { waitSeconds: 10 });
    expect((await send("15000.00")).status).toMatch(/sealed|credited/);
  });
});
