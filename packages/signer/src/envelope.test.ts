// Envelopes: who may read, what is bound, and what each changed part does.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { generateEnvelopeKey, readEnvelopeKey } from "./envelope-key.ts";
import {
  makeEnvelopeOpener,
  makeEnvelopeSealer,
  openEnvelope,
  sealEnvelope,
  type Envelope,
} from "./envelope.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-envelope-"));
afterAll(() => rmSync(directory, { recursive: true }));
const paths = ["hk", "ph", "stranger"].map((name) => join(directory, name));
for (const path of paths) await generateEnvelopeKey(path);
const [hk, ph, stranger] = paths.map(readEnvelopeKey) as [
  ReturnType<typeof readEnvelopeKey>,
  ReturnType<typeof readEnvelopeKey>,
  ReturnType<typeof readEnvelopeKey>,
];
const readers = [
  { participant: "hk-wallet.example", publicKey: hk.publicKey },
  { participant: "ph-wallet.example", publicKey: ph.publicKey },
];
const plaintext = Buffer.from("salt and name");
const seal = (): Envelope => sealEnvelope({ plaintext, readers, aad: "transfer-1" });

test("each reader opens it, after a trip through JSON", () => {
  const envelope = JSON.parse(JSON.stringify(seal())) as Envelope;
  for (const [participant, key] of [
    ["hk-wallet.example", hk],
    ["ph-wallet.example", ph],
  ] as const) {
    const opened = openEnvelope(envelope, participant, key.privateKey, "transfer-1");
    expect(Buffer.from(opened).toString()).toBe("salt and name");
  }
});

test("nobody else does, and nobody for another transfer", () => {
  const envelope = seal();
  const open = (participant: string, key: Uint8Array, aad: string) => () =>
    openEnvelope(envelope, participant, key, aad);
  const refused = expect.objectContaining({ code: "envelope-refused" });
  const notForUs = expect.objectContaining({ code: "envelope-not-for-us" });
  expect(open("other.example", stranger.privateKey, "transfer-1")).toThrow(notForUs);
  expect(open("hk-wallet.example", stranger.privateKey, "transfer-1")).toThrow(refused);
  expect(open("ph-wallet.example", hk.privateKey, "transfer-1")).toThrow(refused);
  expect(open("hk-wallet.example", hk.privateKey, "transfer-2")).toThrow(refused);
});

test("any changed character of any part is refused", () => {
  const envelope = seal();
  const text = JSON.stringify(envelope);
  const open = makeEnvelopeOpener("hk-wallet.example", hk.privateKey);
  const mine = JSON.stringify(envelope.wraps[0]);
  const strings = [envelope.epk, envelope.iv, envelope.ct];
  const wrap = envelope.wraps[0];
  if (wrap !== undefined) strings.push(wrap.salt, wrap.iv, wrap.ct);
  expect(text).toContain(mine);
  for (const value of strings) {
    for (let at = 0; at < value.length; at += 1) {
      const other = value[at] === "A" ? "B" : "A";
      const changed = text.replace(value, value.slice(0, at) + other + value.slice(at + 1));
      expect(() => open(JSON.parse(changed) as Envelope, "transfer-1")).toThrow();
    }
  }
});

test("no two envelopes share a key, an iv or a salt, though they share a sender key", () => {
  const all = Array.from({ length: 50 }, seal);
  expect(new Set(all.map((one) => one.epk)).size).toBe(1);
  expect(new Set(all.map((one) => one.ct)).size).toBe(50);
  expect(new Set(all.map((one) => one.iv)).size).toBe(50);
  const salts = all.flatMap((one) => one.wraps.map((wrap) => wrap.salt));
  expect(new Set(salts).size).toBe(100);
});

test("the sender key is replaced when its time is over", () => {
  let nowMs = 0;
  const sealer = makeEnvelopeSealer({ rotateAfterMs: 1_000, nowMs: () => nowMs });
  const request = { plaintext, readers, aad: "a" };
  const first = sealer(request).epk;
  nowMs = 999;
  expect(sealer(request).epk).toBe(first);
  nowMs = 1_000;
  expect(sealer(request).epk).not.toBe(first);
});

test("keys are private files of their own kind, and useless public keys are refused", () => {
  expect(statSync(paths[0] ?? "").mode & 0o777).toBe(0o600);
  for (const publicKey of [new Uint8Array(32), new Uint8Array(31)]) {
    const reader = { participant: "x", publicKey };
    expect(() => sealEnvelope({ plaintext, readers: [reader], aad: "a" })).toThrow(
      expect.objectContaining({ code: "envelope-malformed" }),
    );
  }
});
