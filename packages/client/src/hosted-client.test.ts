// The hosted client against a real HTTP server that plays the adapter: what it signs, when it signs
// nothing, and what it does with an adapter that has forgotten.
import { statementText, transferIdOf } from "@sealane/protocol";
import { hk, makeFundedWorld, origin, ph, testKeys } from "@sealane/rules/testing";
import { composeNote, sha256, signNoteLine, toBase64, utf8 } from "@sealane/tlog";
import { afterEach, describe, expect, test } from "vitest";
import type { TransferRequest } from "./adapter-types.ts";
import { hostedClient } from "./hosted-client.ts";
import { noteSigner } from "./note-signer.ts";
import { StatementRefusal } from "./statement-refusal.ts";
import { json, startTestAdapter, type Script } from "./test-adapter.ts";

const request: TransferRequest = {
  payer: { account: "+85290000001" },
  payee: { participant: ph, account: "+639170000001" },
  amount: { currency: "HKD", amount: "1000.00" },
};
const world = makeFundedWorld();
let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

const opening = (value: string): Uint8Array =>
  new Uint8Array([...sha256(`salt of ${value}`), ...utf8(value)]);

const prepare = (key: string, amount = "1000.00") => {
  const [payer, payee] = [opening(request.payer.account), opening(request.payee.account)];
  const terms = world.terms({
    key,
    amount,
    payer: { participant: hk, account: toBase64(sha256(payer)) },
    payee: { participant: ph, account: toBase64(sha256(payee)) },
  });
  return {
    transferId: terms.id,
    statement: statementText(origin, "transfer", terms),
    sheet: world.sheet().note,
    openings: { payer: toBase64(payer), payee: toBase64(payee) },
  };
};

const sealed = { transferId: "t", role: "payer", status: "sealed", final: true, steps: {} };

const clientOf = async (...scripts: Script[]) => {
  const adapter = await startTestAdapter(...scripts);
  stop = adapter.stop;
  const signed: string[] = [];
  const client = hostedClient({
    baseUrl: adapter.url,
    token: "secret",
    participant: hk,
    origin,
    keys: () => world.keys(),
    clock: world.nowMs,
    signer: {
      name: testKeys.hk.name,
      signLine: (text) => {
        signed.push(text);
        return Promise.resolve(signNoteLine(testKeys.hk.name, testKeys.hk.seed, text));
      },
    },
  });
  return { client, seen: adapter.seen, signed };
};

describe("a hosted client", () => {
  test("sends the text that it was given, with its signature, and nothing else", async () => {
    const prepared = prepare("k1");
    const { client, seen } = await clientOf(json(201, prepared), json(200, sealed));
    await client.send(request, { idempotencyKey: "k1", waitSeconds: 5 });
    const { name, seed } = testKeys.hk;
    const line = signNoteLine(name, seed, prepared.statement);
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /v1/transfers/prepare",
      `POST /v1/transfers/${transferIdOf(hk, "k1")}/signed`,
    ]);
    expect(seen[0]?.headers["idempotency-key"]).toBe("k1");
    expect(seen[1]?.body).toBe(composeNote(prepared.statement, [line]));
    expect(seen[1]?.headers["prefer"]).toBe("wait=5");
  });

  test("neither signs nor sends what is not what it asked for", async () => {
    const { client, seen, signed } = await clientOf(json(201, prepare("k1", "1000.01")));
    const sending = client.send(request, { idempotencyKey: "k1" });
    await expect(sending).rejects.toBeInstanceOf(StatementRefusal);
    await expect(sending).rejects.toMatchObject({ code: "amount-mismatch", retryable: false });
    expect(signed).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  test("prepares again when the adapter has forgotten what it prepared", async () => {
    const forgotten = json(409, { code: "statement-unknown", detail: "forgotten" });
    const prepared = json(201, prepare("k1"));
    const { client, seen } = await clientOf(prepared, forgotten, prepared, json(200, sealed));
    expect((await client.send(request, { idempotencyKey: "k1" })).status).toBe("sealed");
    expect(seen).toHaveLength(4);
  });

  test("signs nothing for a transfer that the adapter knows already", async () => {
    const { client, signed } = await clientOf(json(200, sealed));
    expect((await client.send(request, { idempotencyKey: "k1" })).status).toBe("sealed");
    expect(signed).toEqual([]);
  });

  test("answers each line of a bulk by itself, also one that it does not sign", async () => {
    const { client } = await clientOf((res, seen) => {
      const key = String(seen.headers["idempotency-key"] ?? "");
      const prepared = () => prepare(key, key === "k2" ? "999.00" : "1000.00");
      if (seen.path.endsWith("/prepare")) json(201, prepared())(res, seen);
      else json(200, sealed)(res, seen);
    });
    const keys = ["k1", "k2", "k3"];
    const answers = [];
    const lines = keys.map((idempotencyKey) => ({ idempotencyKey, transfer: request }));
    for await (const answer of client.bulk(lines)) answers.push(answer);
    answers.sort((one, other) => one.index - other.index);
    expect(answers).toMatchObject([
      { ok: true, idempotencyKey: "k1" },
      { ok: false, idempotencyKey: "k2", code: "amount-mismatch" },
      { ok: true, idempotencyKey: "k3" },
    ]);
  });

  test("signs a cancellation of this transfer for this reason, and no other", async () => {
    const id = transferIdOf(hk, "k1");
    const text = (body: object, inner?: string) => ({
      statement: statementText(origin, "cancellation", body, inner),
    });
    const own = { id, participant: hk, reason: "CUST" };
    const unknown = json(404, { code: "transfer-unknown", final: false });
    const good = await clientOf(unknown, json(201, text(own)), json(200, sealed));
    await good.client.cancel(id);
    expect(good.seen[2]?.path).toBe(`/v1/transfers/${id}/cancel/signed`);
    await stop?.();
    const bad: [string, ReturnType<typeof text>][] = [
      ["id-mismatch", text({ ...own, id: transferIdOf(hk, "k2") })],
      ["payer-mismatch", text({ ...own, participant: ph })],
      ["reason-mismatch", text({ ...own, reason: "FRAD" })],
      ["statement-malformed", text(own, world.sheet().note)],
    ];
    for (const [code, prepared] of bad) {
      const { client, signed } = await clientOf(unknown, json(201, prepared));
      await expect(client.cancel(id)).rejects.toMatchObject({ code });
      expect(signed).toEqual([]);
      await stop?.();
    }
  });
});

describe("a signing key", () => {
  const { name, key, seed } = testKeys.hk;
  const id = key.keyId.toString(16).padStart(8, "0");
  const line = (of: string, type = 1) =>
    `PRIVATE+KEY+${of}+${id}+${toBase64(Uint8Array.of(type, ...seed))}\n`;

  test("signs as itself", async () => {
    expect(await noteSigner(line(name)).signLine("text\n")).toBe(
      signNoteLine(name, seed, "text\n"),
    );
  });

  test("is refused with another name, as a key of another kind, and as rubbish", () => {
    for (const bad of [
      line("other.example/k1"),
      line(name, 4),
      "PRIVATE+KEY+",
      "",
      line(name).slice(9),
    ]) {
      expect(() => noteSigner(bad)).toThrow("a signing key is one line");
    }
  });
});
