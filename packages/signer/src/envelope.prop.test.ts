// Envelopes give back what was put in, whatever it is.
import fc from "fast-check";
import { expect, test } from "vitest";
import { generateX25519 } from "./envelope-key.ts";
import { openEnvelope, sealEnvelope } from "./envelope.ts";

const pair = generateX25519();
const der = pair.privateKey.export({ format: "der", type: "pkcs8" });
const privateKey = new Uint8Array(der.subarray(-32));
const readers = [{ participant: "ph-wallet.example", publicKey: pair.publicBytes }];

test("what is sealed is what is opened, whatever the bytes and the aad", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string({ unit: "grapheme" }), (bytes, aad) => {
      const envelope = sealEnvelope({ plaintext: bytes, readers, aad });
      const opened = openEnvelope(envelope, "ph-wallet.example", privateKey, aad);
      expect(Buffer.compare(opened, bytes)).toBe(0);
    }),
    { numRuns: 50 },
  );
});
