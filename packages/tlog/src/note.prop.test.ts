import fc from "fast-check";
import { expect, test } from "vitest";
import { publicKeyOf } from "./ed25519.ts";
import { composeNote, isKeyName, parseNote } from "./note.ts";
import { openNote, verifierFor } from "./open-note.ts";
import { signNoteLine } from "./sign-note.ts";
import { keyIdOf } from "./verifier-key.ts";

const text = fc.string({ unit: "grapheme", maxLength: 200 }).map(
  (body) =>
    `${body
      .split("")
      .map((c) => (c < " " ? "\n" : c))
      .join("")}\n`,
);
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter(isKeyName);
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const signers = fc.uniqueArray(fc.record({ name, seed }), {
  minLength: 1,
  maxLength: 5,
  selector: (signer) => signer.name,
});

const verifierOf = (signer: { readonly name: string; readonly seed: Uint8Array }) => {
  const publicKey = publicKeyOf(signer.seed);
  const keyId = keyIdOf(signer.name, 1, publicKey);
  return verifierFor({ name: signer.name, keyId, type: 1, publicKey });
};

test("whatever is signed opens again, with the same text and every signature", () => {
  fc.assert(
    fc.property(text, signers, (body, parties) => {
      const lines = parties.map((party) => signNoteLine(party.name, party.seed, body));
      const note = composeNote(body, lines);
      const opened = openNote(note, parties.map(verifierOf));
      expect(opened.text).toBe(body);
      expect(opened.verified.map(({ line }) => line)).toEqual(lines);
      expect(opened.unverified).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test("whatever parses is rebuilt from its parts without a change", () => {
  const junk = fc.string({ unit: fc.constantFrom("\n", "— ", " ", "a", "=", "AAAAAAA=", "\t") });
  fc.assert(
    fc.property(junk, (candidate) => {
      let parsed;
      try {
        parsed = parseNote(candidate);
      } catch (error) {
        expect(error).toMatchObject({ code: "note-malformed" });
        return;
      }
      const lines = parsed.signatures.map(({ line }) => line);
      expect(composeNote(parsed.text, lines)).toBe(candidate);
    }),
    { numRuns: 2000 },
  );
});
