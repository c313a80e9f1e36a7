// Standard Webhooks headers with asymmetric signatures (`v1a`, Ed25519): the receiver checks them with
// a public key and shares no secret with us. The key signs webhooks only, never notes: one key must
// not have two meanings.
import { createPublicKey, verify } from "node:crypto";

export type WebhookHeaders = {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
};

const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");
const ID = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;

/**
 * The three headers over `id.timestamp.body`. `id` is stable for one event (receivers dedupe by it)
 * and holds no dot; `sign` answers the 64 bytes of an Ed25519 signature over the UTF-8 of its text.
 */
export async function webhookHeaders(message: {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
  readonly sign: (text: string) => Promise<Uint8Array>;
}): Promise<WebhookHeaders> {
  const { id, timestampSeconds, body, sign } = message;
  if (!ID.test(id)) throw new Error("a webhook id is visible ASCII without a dot");
  const signature = await sign(`${id}.${timestampSeconds}.${body}`);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": `v1a,${Buffer.from(signature).toString("base64")}`,
  };
}

/** Whether headers and body were signed by the key, within `toleranceSeconds` (300) of now. */
export function verifyWebhook(message: {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly publicKey: Uint8Array;
  readonly nowSeconds: number;
  readonly toleranceSeconds?: number;
}): boolean {
  const { headers, body, publicKey, nowSeconds, toleranceSeconds = 300 } = message;
  const [id, time, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(
    (name) => headers[name],
  );
  if (typeof id !== "string" || typeof time !== "string" || typeof signatures !== "string") {
    return false;
  }
  if (!/^\d{1,12}$/.test(time) || Math.abs(nowSeconds - Number(time)) > toleranceSeconds) {
    return false;
  }
  const der = Buffer.concat([SPKI_ED25519, publicKey]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const signed = Buffer.from(`${id}.${time}.${body}`, "utf8");
  return signatures.split(" ").some((entry) => {
    const [version, encoded] = entry.split(",");
    if (version !== "v1a" || encoded === undefined) return false;
    return verify(null, signed, key, Buffer.from(encoded, "base64"));
  });
}
