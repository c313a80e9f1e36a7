// A provider that runs no adapter of its own: hk-wallet's adapter has no key to sign with. Its client signs
// what it sends, its core signs what it accepts and credits, and every entry carries its own signature.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  entryOfReceipt,
  hostedClient,
  makeLogReader,
  noteSigner,
  readKeyLog,
  type AdapterClient,
  type BulkAnswer,
  type TransferRequest,
} from "@sealane/client";
import { parsePolicy } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
let hosted: AdapterClient;
beforeAll(async () => {
  system = await startWholeSystem({ hosted: ["hk-wallet"] });
  const { home, urls } = system.stack;
  const policy = parsePolicy(readFileSync(home.path("trust.policy"), "utf8"));
  const keys = await readKeyLog(makeLogReader(`${urls["ledger"] ?? ""}/log/keys`), policy);
  if (!keys.ok) throw new Error(keys.detail);
  const state = keys.history.states.at(-1);
  if (state === undefined) throw new Error("the key log is empty");
  hosted = hostedClient({
    baseUrl: urls["hk-wallet"] ?? "",
    token: readFileSync(home.keys("hk-wallet", "api.token"), "utf8").trim(),
    participant: "hk-wallet.example",
    origin: policy.logs[0]?.key.name ?? "",
    signer: noteSigner(readFileSync(home.keys("hk-wallet", "transfer.key"), "utf8")),
    keys: () => state,
  });
});
afterAll(async () => {
  await system.stop();
});

const outward = (value: string, account = "+639170000001"): TransferRequest => ({
  payer: { account: "+85290000001" },
  payee: { participant: "ph-wallet.example", account },
  amount: { currency: "HKD", amount: value },
  reference: "for the Garcia family",
});
const inward = (value: string, account = "+85290000001"): TransferRequest => ({
  payer: { account: "+639170000001" },
  payee: { participant: "hk-wallet.example", account },
  amount: { currency: "PHP", amount: value },
});

const wait = () => ({ idempotencyKey: randomUUID(), waitSeconds: 10 });

const credited = (side: AdapterClient, id: string): Promise<true> =>
  eventually(`${id} is credited`, async () => (await side.get(id)).status === "credited");

const entryOf = (receipt: string): string => entryOfReceipt(receipt) ?? "";

describe("the payer's side of a hosted adapter", () => {
  it("sends what its client has checked and signed, with the provider's own signature", async () => {
    const sent = await hosted.send(outward("1000.00"), {
      idempotencyKey: randomUUID(),
      waitSeconds: 10,
    });
    expect(sent).toMatchObject({ status: "sealed", sent: { currency: "HKD", amount: "1000.00" } });
    expect(entryOf(await hosted.receipt(sent.transferId))).toContain("— hk-wallet.example/k1 ");
  });

  it("refuses what is not signed, since nobody there could sign it", async () => {
    const sending = system.hk.send(outward("10.00"), { idempotencyKey: randomUUID() });
    await expect(sending).rejects.toMatchObject({ problem: { code: "signature-required" } });
  });

  it("uses a quote, fixes the received amount, and says no to a wrong account", async () => {
    const quote = await hosted.quote({
      payee: { participant: "ph-wallet.example" },
      amount: { currency: "PHP", amount: "5000.00" },
      fixed: "receive",
      otherCurrency: "HKD",
    });
    const body: TransferRequest = {
      ...outward("0"),
      amount: { currency: "PHP", amount: "5000.00" },
      fixed: "receive",
      otherCurrency: "HKD",
      quoteId: quote.quoteId,
    };
    const sent = await hosted.send(body, { idempotencyKey: randomUUID(), waitSeconds: 10 });
    expect(sent).toMatchObject({ status: "sealed", sent: quote.sent, received: quote.received });
    const refused = await hosted.send(outward("20.00", "+639170000991"), {
      idempotencyKey: randomUUID(),
      waitSeconds: 10,
    });
    expect(refused).toMatchObject({ status: "rejected", reason: "AC04" });
  });

  it("tells a retry from another request under the same key", async () => {
    const idempotencyKey = randomUUID();
    const first = await hosted.send(outward("30.00"), { idempotencyKey, waitSeconds: 10 });
    const again = await hosted.send(outward("30.00"), { idempotencyKey, waitSeconds: 10 });
    expect(again).toMatchObject({ transferId: first.transferId, position: first.position });
    await expect(hosted.send(outward("30.01"), { idempotencyKey })).rejects.toMatchObject({
      problem: { status: 422, code: "request-mismatch" },
    });
  });

  it("sends many, and takes one back by a cancellation of its own", async () => {
    const lines = Array.from({ length: 20 }, () => ({
      idempotencyKey: randomUUID(),
      transfer: outward("12.34"),
    }));
    const answers: BulkAnswer[] = [];
    for await (const answer of hosted.bulk(lines, { waitSeconds: 10 })) answers.push(answer);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(20);

    const open = await hosted.send(outward("15.00", "+639170000994"), {
      idempotencyKey: randomUUID(),
    });
    await eventually("it is reserved", async () => {
      return (await hosted.get(open.transferId)).status === "reserved";
    });
    await hosted.cancel(open.transferId, { waitSeconds: 10 });
    expect(await hosted.get(open.transferId)).toMatchObject({
      status: "cancelled",
      reason: "CUST",
    });
  });
});

describe("the payee's side of a hosted adapter", () => {
  it("accepts with the provider's own signature, and says how far it has credited", async () => {
    const sent = await system.ph.send(inward("5000.00"), {
      idempotencyKey: randomUUID(),
      waitSeconds: 10,
    });
    expect(sent.status).toBe("sealed");
    expect(entryOf(await system.ph.receipt(sent.transferId))).toContain("— hk-wallet.example/k1 ");
    await eventually("the payer hears that it is credited", async () => {
      return (await system.ph.get(sent.transferId)).status === "credited";
    });
  });

  it("rejects with the provider's own signature", async () => {
    const sent = await system.ph.send(inward("50.00", "+85290000991"), {
      idempotencyKey: randomUUID(),
      waitSeconds: 10,
    });
    expect(sent).toMatchObject({ status: "rejected", reason: "AC04" });
  });

  it("names what its core refused to credit after the seal", async () => {
    const sent = await system.ph.send(inward("50.00", "+85290000995"), {
      idempotencyKey: randomUUID(),
      waitSeconds: 10,
    });
    expect(sent.status).toBe("sealed");
    await eventually("the payer learns of the exception", async () => {
      return (await system.ph.get(sent.transferId)).creditException === "AC06";
    });
  });

  it("gives back in parts, never more than it got, and says so with its own signature", async () => {
    const sent = await system.ph.send(inward("5000.00"), wait());
    await credited(system.ph, sent.transferId);
    const amount = { currency: "HKD", amount: "10.00" };
    const options = wait();
    const part = await hosted.giveBack(sent.transferId, { amount, reason: "AC04" }, options);
    expect(part).toMatchObject({ sent: amount, returnOf: sent.transferId });
    expect(entryOf(await hosted.receipt(part.transferId))).toContain("— hk-wallet.example/k1 ");
    const again = await hosted.giveBack(sent.transferId, { amount, reason: "AC04" }, options);
    expect(again.transferId).toBe(part.transferId);
    await eventually("the part is known", async () => {
      return (await hosted.get(sent.transferId)).returned?.amount === "10.00";
    });
    const rest = await hosted.giveBack(sent.transferId, {}, wait());
    await credited(system.ph, rest.transferId);
    await eventually("all of it is known", async () => {
      const { returned, received } = await hosted.get(sent.transferId);
      return returned?.amount === received?.amount;
    });
    const more = hosted.giveBack(sent.transferId, { amount }, wait());
    await expect(more).rejects.toMatchObject({ problem: { code: "return-exceeds" } });
  });

  it("gives back at today's rate, by the newest sheet of its liquidity provider, in parts", async () => {
    const sent = await system.ph.send(inward("5000.00"), wait());
    await credited(system.ph, sent.transferId);
    const rate = async (): Promise<string> => {
      const asked = { payee: { participant: "ph-wallet.example" }, amount: hkd("100.00") };
      return (await hosted.quote(asked)).exchangeRate;
    };
    const hkd = (amount: string) => ({ currency: "HKD", amount });
    for (const amount of [hkd("100.07"), hkd("33.33")]) {
      // A sheet may end between two calls: then this is said of the next one.
      const [before, back, after] = await eventually("one sheet lasts that long", async () => {
        const first = await rate();
        const made = await hosted.giveBack(sent.transferId, { amount, rate: "today" }, wait());
        const last = await rate();
        return first === last && ([first, made, last] as const);
      });
      expect(before).toBe(after);
      const [units = "", places = ""] = before.split(".");
      const minor = BigInt(amount.amount.replace(".", "")) * BigInt(units + places);
      const received = minor / 10n ** BigInt(places.length);
      expect(back).toMatchObject({ sent: amount, returnOf: sent.transferId });
      expect(back.received?.amount.replace(".", "")).toBe(String(received));
      const entry = entryOf(await hosted.receipt(back.transferId));
      expect(entry).toContain('"rate":"today"');
      expect(entry).toContain('"sheet":{"provider":"fx-desk.example"');
      expect(entry).toContain("— hk-wallet.example/k1 ");
      await credited(system.ph, back.transferId);
    }
    const rest = await hosted.giveBack(sent.transferId, { rate: "today" }, wait());
    await credited(system.ph, rest.transferId);
    const more = hosted.giveBack(sent.transferId, { amount: hkd("0.01"), rate: "today" }, wait());
    await expect(more).rejects.toMatchObject({ problem: { code: "return-exceeds" } });
  });

  it("answers a recall: its core's yes is a return, its no a refusal", async () => {
    const agreed = await system.ph.send(inward("100.00"), wait());
    await credited(system.ph, agreed.transferId);
    const recall = await system.ph.recall(agreed.transferId, {}, wait());
    await credited(system.ph, recall.transferId);
    expect((await system.ph.get(agreed.transferId)).returned).toBeDefined();
    const kept = await system.ph.send(inward("100.00", "+85290000998"), wait());
    await credited(system.ph, kept.transferId);
    const refused = await system.ph.recall(kept.transferId, {}, wait());
    await eventually("it is refused", async () => {
      return (await system.ph.get(refused.transferId)).status === "rejected";
    });
  });

  it("recalls by itself, and its cancellation of what was committed is a recall", async () => {
    const sent = await hosted.send(outward("40.00"), wait());
    await credited(hosted, sent.transferId);
    const recall = await hosted.recall(sent.transferId, { reason: "DUPL" }, wait());
    await credited(hosted, recall.transferId);
    const { returned, received } = await eventually("it came back", async () => {
      const now = await hosted.get(sent.transferId);
      return now.returned !== undefined && now;
    });
    expect(returned).toEqual(received);
  });

  it("leaves a log that an auditor finds nothing wrong with", async () => {
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending());
    expect((await log.audit()).findings).toEqual([]);
  });
});
