import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import goVectors from "../vectors/go-vectors.json" with { type: "json" };
import { cosignatureTime } from "./cosignature.ts";
import { publicKeyOf } from "./ed25519.ts";
import { composeNote } from "./note.ts";
import { openNote, verifierFor } from "./open-note.ts";
import { cosignLine, signNoteLine } from "./sign-note.ts";
import { formatVerifierKey, parseVerifierKey } from "./verifier-key.ts";

const folder = new URL(".", import.meta.url);
const sources = readdirSync(folder).filter(
  (name) => name.endsWith(".ts") && !name.includes(".test."),
);
const importsOf = (name: string): string[] =>
  [...readFileSync(new URL(name, folder), "utf8").matchAll(/ from ["']([^"']+)["']/g)].map(
    (match) => match[1]!,
  );

test("uses Node only in the files that a browser never loads", () => {
  const onNode = sources.filter((name) => importsOf(name).some((one) => one.startsWith("node:")));
  expect(onNode).toEqual(["ed25519-node.ts", "sha256-node.ts"]);
  for (const [alias, targets] of Object.entries(manifest.imports)) {
    expect(`${alias}: ${targets.node}`).toMatch(/-node\.ts$/);
    expect(`${alias}: ${targets.default}`).toMatch(/-portable\.ts$/);
  }
  const direct = sources.flatMap(importsOf).filter((one) => one.endsWith("-node.ts"));
  expect(direct).toEqual([]);
});

test("is pure: no clock, randomness, async or network in any file", () => {
  const impure = /\bDate\b|Math\.random|getRandomValues|randomBytes|\basync\b|\bawait\b|fetch\(/;
  const found = sources.filter((name) =>
    impure.test(readFileSync(new URL(name, folder), "utf8").replaceAll(/^ ?\*.*$|\/\/.*$/gm, "")),
  );
  expect(found).toEqual([]);
});

test("opens the note that Go signed and cosigned, and signs the same", () => {
  const key = parseVerifierKey(goVectors.vkey);
  const cosigner = parseVerifierKey(formatVerifierKey(key.name, 4, key.publicKey));
  expect(cosigner.keyId.toString(16)).toBe(goVectors.cosignatureKeyId);
  const opened = openNote(goVectors.note, [verifierFor(key), verifierFor(cosigner)]);
  expect(opened.verified).toHaveLength(2);
  const seed = new Uint8Array(32).fill(7);
  expect(publicKeyOf(seed)).toEqual(key.publicKey);
  const line = signNoteLine(key.name, seed, opened.text);
  const time = cosignatureTime(opened.verified[1]!.signature);
  const cosignature = cosignLine(key.name, seed, opened.text, time);
  expect(composeNote(opened.text, [line, cosignature])).toBe(goVectors.note);
});
