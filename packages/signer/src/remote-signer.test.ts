// A key that is elsewhere signs what a key file signs, byte for byte; what does not is found out.
import { createHash, generateKeyPairSync, sign as signWith } from "node:crypto";
import { openNote, composeNote, parseVerifierKey, verifierFor } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { remoteSigner } from "./remote-signer.ts";

/** A module of another make: node's own key objects, which we never see the inside of. */
const makeModule = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  return {
    publicKey: new Uint8Array(raw),
    signBytes: (message: Uint8Array): Promise<Uint8Array> =>
      Promise.resolve(new Uint8Array(signWith(null, message, privateKey))),
  };
};

const text = "sealane.example/keys/suspension/v1\n{}\n";

describe("a signer whose key is elsewhere", () => {
  it("signs lines that verify under the verifier key it says", async () => {
    const signer = remoteSigner({ name: "hk.example/k2", ...makeModule() });
    const [line = ""] = await signer.signMany([text]);
    expect(line).toBe(await signer.signLine(text));
    const opened = openNote(composeNote(text, [line]), [
      verifierFor(parseVerifierKey(signer.vkey)),
    ]);
    expect(opened.verified.map(({ name }) => name)).toEqual(["hk.example/k2"]);
  });

  it("hands on no signature of another key, over a hash, or of another length", async () => {
    const module = makeModule();
    const { publicKey } = module;
    const wrong: ((message: Uint8Array) => Promise<Uint8Array>)[] = [
      makeModule().signBytes,
      (message) => module.signBytes(createHash("sha512").update(message).digest()),
      async (message) => (await module.signBytes(message)).slice(0, 63),
    ];
    for (const signBytes of wrong) {
      const signer = remoteSigner({ name: "hk.example/k2", publicKey, signBytes });
      await expect(signer.signLine(text)).rejects.toMatchObject({ code: "signature-wrong" });
    }
  });

  it("is not made for a public key that no verifier admits", () => {
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const { signBytes } = makeModule();
    const make = () => remoteSigner({ name: "hk.example/k2", publicKey: identity, signBytes });
    expect(make).toThrow(/none that verifiers admit/);
  });
});
