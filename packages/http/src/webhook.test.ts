// Standard Webhooks: what is signed is id, time and body, and each of them counts.
import { generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { verifyWebhook, webhookHeaders } from "./webhook.ts";

const pair = generateKeyPairSync("ed25519");
const der = pair.publicKey.export({ format: "der", type: "spki" });
const publicKey = new Uint8Array(der.subarray(-32));
const signText = async (text: string) => sign(null, Buffer.from(text), pair.privateKey);
const body = '{"type":"transfer.sealed"}';
const made = () => webhookHeaders({ id: "msg_1", timestampSeconds: 1_000, body, sign: signText });

test("a receiver with the public key accepts it within the tolerance, and not after", async () => {
  const headers = await made();
  expect(headers["webhook-signature"]).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
  const check = (nowSeconds: number) => verifyWebhook({ headers, body, publicKey, nowSeconds });
  expect([check(1_000), check(1_300), check(700), check(1_301), check(699)]).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("finds its signature among others", async () => {
  const headers = await made();
  const several = `v1,c2hhcmVk ${headers["webhook-signature"]}`;
  const check = { headers: { ...headers, "webhook-signature": several }, body, publicKey };
  expect(verifyWebhook({ ...check, nowSeconds: 1_000 })).toBe(true);
});

test.each([
  ["another body", {}, `${body} `],
  ["another id", { "webhook-id": "msg_2" }, body],
  ["another time", { "webhook-timestamp": "1001" }, body],
  ["no signature", { "webhook-signature": undefined }, body],
  ["a version that is not ours", { "webhook-signature": "v1,AAAA" }, body],
])("refuses %s", async (_name, changed, received) => {
  const headers = { ...(await made()), ...changed };
  expect(verifyWebhook({ headers, body: received, publicKey, nowSeconds: 1_000 })).toBe(false);
});

test("an id with a dot could be read in two ways, and is not signed", async () => {
  const message = { id: "a.b", timestampSeconds: 1, body, sign: signText };
  await expect(webhookHeaders(message)).rejects.toThrow("without a dot");
});
