// Every way a transfer ends, through the public API of a whole running system: what each side is told,
// and that what was held is free again.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Transfer, TransferRequest } from "@sealane/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openAuditedLog } from "./audited-log.ts";
import { eventually } from "./eventually.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
});
afterAll(async () => {
  await system.stop();
});

const request = (changes: Partial<TransferRequest> & { account?: string; value?: string } = {}) => {
  const { account = "+639170000001", value = "1000.00", ...rest } = changes;
  return {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account },
    amount: { currency: "HKD", amount: value },
    ...rest,
  } satisfies TransferRequest;
};

const send = (body: TransferRequest, key: string = randomUUID()): Promise<Transfer> =>
  system.hk.send(body, { idempotencyKey: key, waitSeconds: 10 });

const seenBy = (side: "hk" | "ph", id: string, status: string): Promise<Transfer> =>
  eventually(`${side} sees ${id} as ${status}`, async () => {
    const transfer = await system[side].get(id);
    return transfer.status === status ? transfer : undefined;
  });

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  system.call("hk-wallet", "/v1/transfers", {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json", "Idempotency-Key": randomUUID(), ...headers },
  });

describe("a transfer", () => {
  it("is sealed in one call, credited, and answered from each side", async () => {
    const sent = await send(request());
    expect(sent).toMatchObject({
      status: "sealed",
      sent: { currency: "HKD", amount: "1000.00" },
      fee: { currency: "HKD", amount: "5.00" },
      received: { currency: "PHP" },
    });
    const credited = await seenBy("hk", sent.transferId, "credited");
    expect(credited.received).toEqual(sent.received);
    expect((await seenBy("ph", sent.transferId, "credited")).role).toBe("payee");
    const receipt = await system.hk.receipt(sent.transferId);
    expect(receipt).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra /);
    expect(await system.ph.receipt(sent.transferId)).toContain("sealane.example/2026/0");
  });

  it("keeps account numbers out of the log, the topics and the databases", async () => {
    const account = "+639170000444";
    const sent = await send(request({ account, reference: "for the Garcia family" }));
    const receipt = await system.hk.receipt(sent.transferId);
    const entry = Buffer.from(/^extra (\S+)$/m.exec(receipt)?.[1] ?? "", "base64").toString();
    for (const text of [entry, await openAuditedLog(system).everyByte()]) {
      expect(text).not.toContain(account);
      expect(text).not.toContain("Garcia");
    }
    for (const name of ["ledger", "hk-wallet", "ph-wallet", "fx-desk"]) {
      const log = readFileSync(system.stack.home.path("logs", `${name}.log`), "utf8");
      expect(log).not.toContain(account);
    }
  });

  it("fixes the received amount when asked to", async () => {
    const body = request({ fixed: "receive", otherCurrency: "HKD" });
    const sent = await send({ ...body, amount: { currency: "PHP", amount: "5000.00" } });
    expect(sent).toMatchObject({
      status: "sealed",
      received: { currency: "PHP", amount: "5000.00" },
    });
  });

  it("uses a quote once, at the quoted price", async () => {
    const quote = await system.hk.quote({
      payee: { participant: "ph-wallet.example" },
      amount: { currency: "HKD", amount: "250.50" },
    });
    const body = request({ value: "250.50", quoteId: quote.quoteId });
    expect((await send(body)).received).toEqual(quote.received);
    await expect(send(body)).rejects.toMatchObject({
      problem: { status: 409, code: "quote-used" },
    });
  });

  it("has no quote above the largest transfer of the sheet, nor beyond what terms can say", async () => {
    const quote = (amount: string) =>
      system.hk.quote({
        payee: { participant: "ph-wallet.example" },
        amount: { currency: "HKD", amount },
      });
    await expect(quote("500000.01")).rejects.toMatchObject({ problem: { code: "sheet-limit" } });
    const beyond = "999999999999999.99";
    await expect(quote(beyond)).rejects.toMatchObject({ problem: { code: "amount-invalid" } });
    await expect(send(request({ value: beyond }))).rejects.toMatchObject({
      problem: { status: 422, code: "amount-invalid" },
    });
  });

  it("ends rejected with the payee core's reason, on both sides", async () => {
    const sent = await send(request({ account: "+639170000991" }));
    expect(sent).toMatchObject({ status: "rejected", reason: "AC04", final: true });
    expect(await seenBy("ph", sent.transferId, "rejected")).toMatchObject({ reason: "AC04" });
  });

  it("expires when the payee's core never answers, on both sides", async () => {
    const sent = await send(request({ account: "+639170000994", expiresInSeconds: 2 }));
    expect(sent).toMatchObject({ status: "expired", reason: "AB05", final: true });
    await seenBy("ph", sent.transferId, "expired");
  });

  it("is cancelled by the payer while the payee's core is thinking", async () => {
    const key = randomUUID();
    const body = request({ account: "+639170000994", expiresInSeconds: 60 });
    const open = await system.hk.send(body, { idempotencyKey: key });
    await seenBy("hk", open.transferId, "reserved");
    await system.hk.cancel(open.transferId, { waitSeconds: 10 });
    expect(await seenBy("hk", open.transferId, "cancelled")).toMatchObject({ reason: "CUST" });
    await seenBy("ph", open.transferId, "cancelled");
  });

  it("is not cancelled when it is paid out, nor by the payee's provider", async () => {
    const { transferId } = await send(request());
    await seenBy("hk", transferId, "credited");
    const late = system.hk.cancel(transferId, { waitSeconds: 10 });
    await expect(late).rejects.toMatchObject({ problem: { status: 409, code: "not-cancellable" } });
    await seenBy("ph", transferId, "credited");
    const bare = await system.call("ph-wallet", `/v1/transfers/${transferId}/cancel`, {
      method: "POST",
    });
    expect([bare.status, await bare.json()]).toMatchObject([403, { code: "not-the-payer" }]);
  });

  it("is refused above the largest transfer of the sheet, with the ISO reason", async () => {
    const sheetLimit = await send(request({ value: "500000.01" }));
    expect(sheetLimit).toMatchObject({ status: "rejected", code: "sheet-limit", reason: "AM02" });
  });

  it("becomes an exception when the core refuses the credit after the seal", async () => {
    const sent = await send(request({ account: "+639170000995" }));
    expect(sent.status).toBe("sealed");
    const told = await eventually("the payer learns of the exception", async () => {
      const transfer = await system.hk.get(sent.transferId);
      return transfer.creditException === undefined ? undefined : transfer;
    });
    expect(told.creditException).toBe("AC06");
  });

  it("credits once although the core's answer gets lost and its server fails", async () => {
    const lost = await send(request({ account: "+639170000997", value: "20.00" }));
    const failing = await send(request({ account: "+639170000996", value: "20.00" }));
    await seenBy("hk", lost.transferId, "credited");
    await seenBy("hk", failing.transferId, "credited");
  });

  it("answers a repeated request with the same transfer, and another body with 422", async () => {
    const key = randomUUID();
    const first = await send(request(), key);
    const again = await send(request(), key);
    expect(again.transferId).toBe(first.transferId);
    expect(again.position).toBe(first.position);
    await expect(send(request({ value: "1000.01" }), key)).rejects.toMatchObject({
      problem: { status: 422, code: "request-mismatch", reason: "AM05" },
    });
  });
});

describe("bad input", () => {
  const amounts = ["1e3", "NaN", "-1", "1.001", "1".repeat(30), "", " 1", "01", "1.", ".5", "0x10"];
  it.each(amounts)("refuses the amount %j with a pointer and what to do", async (value) => {
    const response = await post(JSON.stringify(request({ value })));
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect([400, 422]).toContain(response.status);
    const problem = (await response.json()) as {
      errors: { pointer: string; code: string }[];
      action: string;
    };
    expect(problem.errors[0]?.pointer).toBe("/amount/amount");
    expect(problem.errors[0]?.code).toMatch(/^amount-(?:invalid|decimals|zero)$/);
    expect(problem.action).toBeTruthy();
  });

  const cases: [string, string, number, string][] = [
    [
      "an unknown participant",
      JSON.stringify(request()).replace("ph-wallet", "xx-wallet"),
      404,
      "payee-unknown",
    ],
    [
      "the payer itself",
      JSON.stringify(request()).replace("ph-wallet", "hk-wallet"),
      422,
      "same-participant",
    ],
    [
      "a currency nobody serves",
      JSON.stringify(request()).replace("HKD", "EUR"),
      422,
      "currency-not-served",
    ],
    ["a quote of nobody", JSON.stringify(request({ quoteId: randomUUID() })), 422, "quote-unknown"],
    ["an unknown field", JSON.stringify({ ...request(), extra: 1 }), 400, "request-invalid"],
    ["no JSON", "{", 400, "json-malformed"],
    ["a key twice", '{"fixed":"send","fixed":"send"}', 400, "json-duplicate-key"],
    ["deep JSON", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, 400, "json-too-deep"],
    ["huge JSON", JSON.stringify({ a: "x".repeat(100_000) }), 413, "body-too-large"],
  ];
  it.each(cases)("refuses %s", async (_name, body, status, code) => {
    const response = await post(body);
    expect(await response.json()).toMatchObject({ status, code });
    expect(response.status).toBe(status);
  });

  it("refuses another content type, a missing key, and a caller without a token", async () => {
    const xml = await post("<a/>", { "Content-Type": "application/xml" });
    expect(xml.status).toBe(415);
    const keyless = await post(JSON.stringify(request()), { "Idempotency-Key": "" });
    expect(await keyless.json()).toMatchObject({ status: 400, code: "idempotency-key-missing" });
    const anonymous = await post(JSON.stringify(request()), { Authorization: "" });
    expect(anonymous.status).toBe(401);
  });

  it("refuses bad lines of a bulk by their number, and takes the good ones among them", async () => {
    const line = (transfer: object, idempotencyKey: string = randomUUID()): string =>
      JSON.stringify({ idempotencyKey, transfer });
    const lines = [
      line(request()),
      "{",
      line(request({ value: "1e3" })),
      line({ ...request(), extra: 1 }),
      line(request({ value: "1.001" })),
      "\u0000".repeat(9_000),
      line(request({ account: "+639170000991" })),
      line(request()),
    ];
    const bytes = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(lines.join("\n"))]);
    const response = await system.call("hk-wallet", "/v1/transfers/bulk", {
      method: "POST",
      body: bytes,
      headers: { "Content-Type": "application/x-ndjson", Prefer: "wait=10" },
    });
    type Answer = {
      line: number;
      status: string;
      code?: string;
      pointer?: string;
      action?: string;
    };
    const answers = (await response.text())
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Answer)
      .sort((left, right) => left.line - right.line);
    expect(answers.map(({ status, code, pointer }) => [status, code, pointer])).toEqual([
      ["refused", "utf8-malformed", ""],
      [expect.stringMatching(/^(?:sealed|credited)$/), undefined, undefined],
      ["refused", "json-malformed", ""],
      ["refused", "request-invalid", "/transfer/amount/amount"],
      ["refused", "request-invalid", "/transfer/extra"],
      ["refused", "amount-decimals", "/transfer/amount/amount"],
      ["refused", "line-too-long", ""],
      ["rejected", undefined, undefined],
      [expect.stringMatching(/^(?:sealed|credited)$/), undefined, undefined],
    ]);
    for (const { status, action } of answers) if (status === "refused") expect(action).toMatch(/./);
  });

  it("says that not knowing a transfer is no answer", async () => {
    const response = await system.call("hk-wallet", `/v1/transfers/${randomUUID()}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "transfer-unknown", final: false });
  });
});

describe("afterwards", () => {
  it("the log audits, nothing is pending, and the cores' books equal the log", async () => {
    const log = openAuditedLog(system);
    await eventually("everything has ended", () => log.nothingPending());
    const audit = await log.audit();
    expect(audit.findings).toEqual([]);
    const paid = await log.creditedByCore("PHP");
    expect(paid).toBe(audit.creditedExpected);
  });
});
