// The client against a real HTTP server that answers, refuses, stalls and hangs up.
import { transferIdOf } from "@sealane/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { adapterClient } from "./adapter-client.ts";
import type { BulkAnswer, BulkLine, Transfer, TransferRequest } from "./adapter-types.ts";
import { AdapterRefusal, AdapterUnavailable } from "./adapter-error.ts";
import { sendOne } from "./send-one.ts";
import { hangUp, json, startTestAdapter, type Script } from "./test-adapter.ts";

const request: TransferRequest = {
  payer: { account: "+85290000001" },
  payee: { participant: "ph-wallet.example", account: "+639170000001" },
  amount: { currency: "HKD", amount: "1000.00" },
};
const retry = { tries: 3, baseMs: 1, capMs: 5 };
let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

const clientOf = async (...scripts: Script[]) => {
  const adapter = await startTestAdapter(...scripts);
  stop = adapter.stop;
  const client = adapterClient({ baseUrl: adapter.url, token: "secret", timeoutMs: 2_000, retry });
  return { client, seen: adapter.seen, url: adapter.url };
};

const transfer = (status: string, more: object = {}): object => ({
  transferId: "id-1",
  role: "payer",
  status,
  final: status !== "received" && status !== "reserved" && status !== "committed",
  steps: {},
  ...more,
});

describe("send", () => {
  test("carries token, key and preference, and repeats the same request with the same key", async () => {
    const { client, seen } = await clientOf(hangUp, json(503, {}), json(200, transfer("sealed")));
    const sent = await client.send(request, { idempotencyKey: "order-7", waitSeconds: 5 });
    expect(sent.status).toBe("sealed");
    expect(seen).toHaveLength(3);
    for (const { headers, body } of seen) {
      expect(headers).toMatchObject({
        authorization: "Bearer secret",
        "idempotency-key": "order-7",
        prefer: "wait=5",
      });
      expect(JSON.parse(body)).toEqual(request);
    }
  });

  test("is never repeated after a refusal, and says what to do", async () => {
    const problem = { code: "payee-unknown", detail: "nobody", action: "Use another." };
    const { client, seen } = await clientOf(json(404, problem));
    const sending = client.send(request, { idempotencyKey: "k" });
    await expect(sending).rejects.toBeInstanceOf(AdapterRefusal);
    await expect(sending).rejects.toMatchObject({ code: "payee-unknown", retryable: false });
    expect(seen).toHaveLength(1);
  });

  test("gives up after the last try, with an unknown outcome", async () => {
    const { client, seen } = await clientOf(hangUp);
    const sending = client.send(request, { idempotencyKey: "k" });
    await expect(sending).rejects.toMatchObject({ code: "adapter-unreachable", retryable: true });
    expect(seen).toHaveLength(3);
  });

  test("has a deadline for each try", async () => {
    let tries = 0;
    // The first try is never answered, and ends only by its signal.
    const stalling: typeof fetch = (_url, init) => {
      tries += 1;
      if (tries > 1) return Promise.resolve(Response.json(transfer("received")));
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
      });
    };
    const options = { baseUrl: "http://127.0.0.1:1", token: "t", timeoutMs: 20, retry };
    const client = adapterClient({ ...options, fetch: stalling });
    expect((await client.send(request, { idempotencyKey: "k" })).status).toBe("received");
    expect(tries).toBe(2);
  });

  test("ends at once when its caller gives up", async () => {
    const { client, seen } = await clientOf(() => undefined);
    const giveUp = new AbortController();
    const sending = client.send(request, { idempotencyKey: "k", signal: giveUp.signal });
    giveUp.abort(new Error("enough"));
    await expect(sending).rejects.toThrow("enough");
    expect(seen.length).toBeLessThan(2);
  });

  test.each([
    ["what is not JSON", (res) => void res.end("<html>")],
    ["another shape", json(200, { ok: true })],
    ["a redirect", (res) => void res.writeHead(302, { Location: "http://127.0.0.1:1/" }).end()],
  ] satisfies [string, Script][])("takes %s for no answer", async (_what, script) => {
    const { client } = await clientOf(script);
    const sending = client.send(request, { idempotencyKey: "k" });
    await expect(sending).rejects.toBeInstanceOf(AdapterUnavailable);
  });
});

describe("bulk", () => {
  const lines = (count: number): BulkLine[] =>
    Array.from({ length: count }, (_, at) => ({ idempotencyKey: `k${at}`, transfer: request }));
  const keysOf = (body: string): string[] =>
    body
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as BulkLine).idempotencyKey);
  const answer =
    (
      choose: (key: string, line: number) => object | undefined,
      end: "end" | "cut" = "end",
    ): Script =>
    (res, { body }) => {
      res.writeHead(200, { "Content-Type": "application/x-ndjson" });
      for (const [at, key] of keysOf(body).entries()) {
        const chosen = choose(key, at + 1);
        if (chosen !== undefined) res.write(`${JSON.stringify({ line: at + 1, ...chosen })}\n`);
      }
      if (end === "end") res.end();
      else setImmediate(() => res.socket?.destroy());
    };
  const good = (key: string) => ({
    httpStatus: 200,
    replayed: false,
    ...transfer("sealed", { transferId: key }),
  });
  const collect = async (answers: AsyncIterable<BulkAnswer>): Promise<BulkAnswer[]> => {
    const all: BulkAnswer[] = [];
    for await (const one of answers) all.push(one);
    return all;
  };

  test("answers every line once, in requests of a few", async () => {
    const { client, seen } = await clientOf(answer(good));
    const all = await collect(client.bulk(lines(5), { linesPerRequest: 2, waitSeconds: 1 }));
    expect(all.map((one) => [one.index, one.idempotencyKey, one.ok])).toEqual(
      [0, 1, 2, 3, 4].map((at) => [at, `k${at}`, true]),
    );
    expect(seen.map(({ body }) => keysOf(body).length)).toEqual([2, 2, 1]);
  });

  test("sends again, under their own keys, only lines that were cut off or not taken", async () => {
    const notNow = { httpStatus: 503, status: "refused", code: "not-accepted", detail: "later" };
    const refused = { httpStatus: 422, status: "refused", code: "amount-zero", detail: "no" };
    const first = answer((key) => ({ k0: good(key), k1: notNow, k2: refused })[key], "cut");
    const { client, seen } = await clientOf(first, answer(good));
    const all = await collect(client.bulk(lines(4)));
    expect(all.map(({ index, ok }) => [index, ok])).toEqual([
      [0, true],
      [2, false],
      [1, true],
      [3, true],
    ]);
    expect(keysOf(seen[1]?.body ?? "")).toEqual(["k1", "k3"]);
  });

  test("gives up on lines that never get an answer", async () => {
    const { client } = await clientOf(answer((key) => (key === "k0" ? good(key) : undefined)));
    await expect(collect(client.bulk(lines(2)))).rejects.toMatchObject({ code: "answer-invalid" });
  });

  test("takes lines from an asynchronous source", async () => {
    const { client } = await clientOf(answer(good));
    async function* source() {
      for (const line of lines(3)) yield await Promise.resolve(line);
    }
    expect(await collect(client.bulk(source()))).toHaveLength(3);
  });
});

describe("events", () => {
  test("are read across chunks, comments and multi-byte characters", async () => {
    const { client } = await clientOf((res) => {
      res.writeHead(200, { "Content-Type": "text/event-stream" });
      const text = `: hello\n\nevent: transfer\ndata: ${JSON.stringify(transfer("reserved", { detail: "ñ" }))}\n\n`;
      const bytes = Buffer.from(text);
      const half = bytes.indexOf(0xc3) + 1;
      res.write(bytes.subarray(0, half));
      setImmediate(() => res.end(bytes.subarray(half)));
    });
    const all: Transfer[] = [];
    for await (const one of await client.events()) all.push(one);
    expect(all).toMatchObject([{ status: "reserved", detail: "ñ" }]);
  });
});

describe("sendOne", () => {
  const id = transferIdOf("hk-wallet.example", "key-1");
  const steps = { acceptedAt: "2026-11-22T07:00:00.010Z", reservedAt: "2026-11-22T07:00:00.020Z" };
  const world = (outcome: Script): Script => {
    let stream: Parameters<Script>[0] | undefined;
    return (res, seen) => {
      if (seen.path === "/v1/events") {
        stream = res;
        res.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
        return;
      }
      const change = transfer("reserved", { transferId: id, steps });
      stream?.write(`data: ${JSON.stringify(change)}\n\n`);
      setImmediate(() => outcome(res, seen));
    };
  };
  const options = { payer: "hk-wallet.example", request, idempotencyKey: "key-1" };

  test("tells steps as they happen and why it did not go through", async () => {
    const end = { transferId: id, reason: "AC04", steps };
    const { client } = await clientOf(world(json(200, transfer("rejected", end))));
    const told: string[] = [];
    const result = await sendOne({ ...options, client, onStep: (step) => told.push(step) });
    expect(told).toEqual(["accepted", "reserved"]);
    expect(result).toMatchObject({
      outcome: "rejected",
      transferId: id,
      reason: "AC04",
      detail: "the payee's account is closed",
    });
  });

  test("a request that is refused at the door is an outcome, with the refusal's action", async () => {
    const problem = {
      code: "sheet-unknown",
      detail: "nobody quotes",
      reason: "AM09",
      action: "Wait.",
    };
    const { client } = await clientOf(world(json(422, problem)));
    expect(await sendOne({ ...options, client })).toMatchObject({
      outcome: "rejected",
      transferId: id,
      code: "sheet-unknown",
      reason: "AM09",
      action: "Wait.",
    });
  });

  test("a token that is not known is no outcome", async () => {
    const { client } = await clientOf(world(json(401, { code: "token-invalid" })));
    await expect(sendOne({ ...options, client })).rejects.toMatchObject({ code: "token-invalid" });
  });

  test("a transfer that never ends is not reported as ended", async () => {
    const { client } = await clientOf(world(json(202, transfer("received", { transferId: id }))));
    const sending = sendOne({ ...options, client, deadlineMs: 50 });
    await expect(sending).rejects.toMatchObject({ code: "adapter-timeout" });
  });
});

test("a bulk answer may begin as late as the wait that was asked for", async () => {
  const adapter = await startTestAdapter((res, { body }) => {
    const { idempotencyKey } = JSON.parse(body) as BulkLine;
    const answer = {
      line: 1,
      httpStatus: 200,
      ...transfer("sealed", { transferId: idempotencyKey }),
    };
    setTimeout(() => res.end(JSON.stringify(answer)), 150);
  });
  stop = adapter.stop;
  const client = adapterClient({ baseUrl: adapter.url, token: "t", timeoutMs: 100, retry });
  const lines: BulkLine[] = [{ idempotencyKey: "k", transfer: request }];
  for await (const answer of client.bulk(lines, { waitSeconds: 30 })) expect(answer.ok).toBe(true);
  expect(adapter.seen).toHaveLength(1);
});
