// Signing: key files, lines that other code opens, and the gate for keys.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  composeNote,
  cosignatureTime,
  fromHex,
  openNote,
  parseVerifierKey,
  signNoteLine,
  SIGNATURE_CASES,
  utf8,
  verifierFor,
} from "@sealane/tlog";
import { afterAll, expect, test } from "vitest";
import { generateKeyFile, KEY_TYPE, readKeyFile } from "./key-file.ts";
import { makeKeyRing, verifyLines, verifyOffThread } from "./key-ring.ts";
import { selfTest } from "./self-test.ts";
import { cosigner, fileSigner } from "./signer.ts";

const directory = mkdtempSync(join(tmpdir(), "sealane-signer-"));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `key-${(files += 1)}`);

test("a generated key file is private and opens as the signer of the printed vkey", async () => {
  const path = newPath();
  const { vkey } = await generateKeyFile(path, "hk-wallet.example/k1");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const signer = await fileSigner(path);
  expect(signer.vkey).toBe(vkey);
  const text = "ledger.example/transfer/v1\n{}\n";
  const note = composeNote(text, [await signer.signLine(text)]);
  const opened = openNote(note, [verifierFor(parseVerifierKey(vkey))]);
  expect(opened.verified.map((line) => line.name)).toEqual(["hk-wallet.example/k1"]);
});

test("signs as the reference does, and many texts in their order", async () => {
  const path = newPath();
  await generateKeyFile(path, "op1");
  const signer = await fileSigner(path);
  const { seed } = readKeyFile(path);
  const texts = Array.from({ length: 20 }, (_, at) => `text ${at}\n`);
  const lines = await signer.signMany(texts);
  expect(lines).toEqual(texts.map((text) => signNoteLine("op1", seed, text)));
});

test("a cosigner's line verifies as a cosignature at its time", async () => {
  const path = newPath();
  const { vkey } = await generateKeyFile(path, "witness.example", KEY_TYPE.cosignature);
  const text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
  const line = await (await cosigner(path)).cosign(text, 1_795_347_844);
  const note = composeNote(text, [line]);
  const { verified } = openNote(note, [verifierFor(parseVerifierKey(vkey))]);
  expect(verified).toHaveLength(1);
  expect(cosignatureTime(verified[0]?.signature ?? new Uint8Array())).toBe(1_795_347_844);
});

test("a key is used only for what its type says", async () => {
  const [signing, witnessing] = [newPath(), newPath()];
  await generateKeyFile(signing, "a");
  await generateKeyFile(witnessing, "a", KEY_TYPE.cosignature);
  await expect(cosigner(signing)).rejects.toMatchObject({ code: "key-wrong-type" });
  await expect(fileSigner(witnessing)).rejects.toMatchObject({ code: "key-wrong-type" });
});

test("never overwrites a key and refuses names that a note cannot carry", async () => {
  const path = newPath();
  await generateKeyFile(path, "a");
  await expect(generateKeyFile(path, "a")).rejects.toMatchObject({ code: "key-exists" });
  for (const name of ["", "a b", "a+b", "a\nb"]) {
    await expect(generateKeyFile(newPath(), name)).rejects.toMatchObject({
      code: "key-name-invalid",
    });
  }
});

test("refuses a key file that is open to others or whose bytes changed anywhere", async () => {
  const path = newPath();
  await generateKeyFile(path, "a");
  const text = readFileSync(path, "utf8").trim();
  chmodSync(path, 0o640);
  expect(() => readKeyFile(path)).toThrow(expect.objectContaining({ code: "secret-exposed" }));
  chmodSync(path, 0o600);
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === "A" ? "B" : "A";
    writeFileSync(path, text.slice(0, at) + other + text.slice(at + 1));
    expect(() => readKeyFile(path)).toThrow();
  }
});

test("the sixteen cases are judged as published", async () => {
  expect(await selfTest()).toBe(16);
  const verdicts = await Promise.all(
    SIGNATURE_CASES.map((one) =>
      verifyOffThread(fromHex(one.publicKey), fromHex(one.message), fromHex(one.signature)),
    ),
  );
  expect(verdicts).toEqual(SIGNATURE_CASES.map((one) => one.accept));
});

test("a ring that has forgotten a key judges it again, with the same verdict", async () => {
  const ring = makeKeyRing({ maxKeys: 1 });
  const twice = [...SIGNATURE_CASES, ...SIGNATURE_CASES];
  expect(twice.map((one) => ring.admits(fromHex(one.publicKey)))).toEqual(
    twice.map((one) => one.keyAdmissible),
  );
  expect(await ring.verify(new Uint8Array(31), new Uint8Array(), new Uint8Array(64))).toBe(false);
});

test("verifies several lines over one text, each by itself", async () => {
  const path = newPath();
  await generateKeyFile(path, "a");
  const { publicKey, sign } = await fileSigner(path);
  const signature = await sign("text\n");
  const changed = Uint8Array.from(signature, (byte, at) => (at === 5 ? byte ^ 1 : byte));
  const verdicts = await verifyLines("text\n", [
    { publicKey, signature },
    { publicKey, signature: changed },
    { publicKey, signature: utf8("short") },
  ]);
  expect(verdicts).toEqual([true, false, false]);
});
