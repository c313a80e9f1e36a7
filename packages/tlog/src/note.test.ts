import { expect, test } from "vitest";
import { fromBase64, toBase64 } from "./bytes.ts";
import { composeNote, formatSignatureLine, keepSignatures, parseNote } from "./note.ts";
import { openNote, verifierFor } from "./open-note.ts";
import { signNoteLine } from "./sign-note.ts";
import { parseVerifierKey } from "./verifier-key.ts";

/** Published vectors: the example of c2sp.org/signed-note, and x/mod's sumdb/note tests. */
const SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE =
  "This is an example message.\n\n— example.com/foo " +
  "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
const PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SEED = fromBase64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").subarray(1);
const ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT =
  "If you think cryptography is the answer to your problem,\n" +
  "then you don't know what your problem is.\n";
const PETER_LINE =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
const ENOCH_LINE =
  "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=";

const spec = verifierFor(parseVerifierKey(SPEC_KEY));
const peter = verifierFor(parseVerifierKey(PETER_KEY));
const enoch = verifierFor(parseVerifierKey(ENOCH_KEY));
const note = (...lines: string[]): string =>
  `${TEXT}\n${lines.map((line) => `${line}\n`).join("")}`;
const lines = (signatures: readonly { readonly line: string }[]) =>
  signatures.map((signature) => signature.line);
const withCode = (code: string) => expect.objectContaining({ code }) as Error;

test("opens the example of the specification", () => {
  const opened = openNote(SPEC_NOTE, [spec]);
  expect(opened.text).toBe("This is an example message.\n");
  expect(opened.verified).toHaveLength(1);
  expect(opened.verified[0]).toMatchObject({ name: "example.com/foo", keyId: 0x530d903a });
});

test("signs exactly as x/mod does", () => {
  const line = signNoteLine("PeterNeumann", PETER_SEED, TEXT);
  expect(line).toBe(PETER_LINE);
  expect(composeNote(TEXT, [line])).toBe(note(PETER_LINE));
});

test("tells known signatures from unknown ones", () => {
  const one = openNote(note(PETER_LINE, ENOCH_LINE), [peter]);
  expect(one.text).toBe(TEXT);
  expect(lines(one.verified)).toEqual([PETER_LINE]);
  expect(lines(one.unverified)).toEqual([ENOCH_LINE]);
  const both = openNote(note(PETER_LINE, ENOCH_LINE), [enoch, peter]);
  expect(lines(both.verified)).toEqual([PETER_LINE, ENOCH_LINE]);
  expect(both.unverified).toEqual([]);
});

test("refuses a note that no known key signed", () => {
  expect(() => openNote(note(PETER_LINE, ENOCH_LINE), [])).toThrow(withCode("note-unknown-key"));
  expect(() => openNote(note(PETER_LINE), [enoch])).toThrow(withCode("note-unknown-key"));
  const misnamed = PETER_LINE.replace("PeterNeumann", "CarmenSandiego");
  expect(() => openNote(note(misnamed), [peter])).toThrow(withCode("note-unknown-key"));
  const otherId = PETER_LINE.replace("x08g", "xxxx");
  expect(() => openNote(note(otherId), [peter])).toThrow(withCode("note-unknown-key"));
});

test("refuses a note with a bad signature of a known key, whatever else it carries", () => {
  const bad = PETER_LINE.replace("ZJku", "ZJkv");
  expect(() => openNote(note(bad), [peter])).toThrow(withCode("note-bad-signature"));
  expect(() => openNote(note(ENOCH_LINE, bad), [peter, enoch])).toThrow(
    withCode("note-bad-signature"),
  );
  const long = `${PETER_LINE.slice(0, 60)}ABCD${PETER_LINE.slice(60)}`;
  expect(() => openNote(note(long), [peter])).toThrow(withCode("note-bad-signature"));
});

test("verifies the second signature of a known key too", () => {
  const bad = PETER_LINE.replace("ZJku", "ZJkv");
  expect(() => openNote(note(PETER_LINE, bad), [peter])).toThrow(withCode("note-bad-signature"));
});

test("counts a key once, and drops lines that repeat", () => {
  const longEnoch = `${ENOCH_LINE.slice(0, 60)}ABCD${ENOCH_LINE.slice(60)}`;
  const repeated = note(PETER_LINE, PETER_LINE, ENOCH_LINE, ENOCH_LINE, longEnoch);
  const opened = openNote(repeated, [peter]);
  expect(lines(opened.verified)).toEqual([PETER_LINE]);
  expect(lines(opened.unverified)).toEqual([ENOCH_LINE, longEnoch]);
});

test("refuses to choose between two known keys with one name and id", () => {
  const twin = verifierFor(parseVerifierKey(ENOCH_KEY));
  expect(() => openNote(note(ENOCH_LINE), [enoch, peter, twin])).toThrow(
    withCode("note-ambiguous-key"),
  );
  expect(openNote(note(PETER_LINE), [enoch, peter, twin]).verified).toHaveLength(1);
  expect(openNote(note(ENOCH_LINE), [enoch, enoch]).verified).toHaveLength(1);
});

test("takes 100 signatures and no more", () => {
  const many = Array.from({ length: 100 }, () => PETER_LINE);
  expect(openNote(note(...many), [peter]).verified).toHaveLength(1);
  expect(() => parseNote(note(...many, PETER_LINE))).toThrow(withCode("note-malformed"));
});

test.each([
  ["no signatures", TEXT],
  ["an empty signature block", `${TEXT}\n`],
  ["no newline at the end", note(PETER_LINE).slice(0, -1)],
  ["a control character", `\u0001${note(PETER_LINE)}`],
  ["a tab", `a\tb${note(PETER_LINE)}`],
  ["a carriage return", note(PETER_LINE).replace("\n", "\r\n")],
  ["a lone surrogate", `\ud800${note(PETER_LINE)}`],
  ["a name with a space", note(PETER_LINE.replace("PeterNeumann", "Bad Name"))],
  ["a name with a plus", note(PETER_LINE.replace("PeterNeumann", "Bad+Name"))],
  ["a name with a no-break space", note(PETER_LINE.replace("PeterNeumann", "Bad\u00a0Name"))],
  ["no name", note(PETER_LINE.replace("PeterNeumann", ""))],
  ["no signature", note("— PeterNeumann")],
  ["an empty signature", note("— PeterNeumann ")],
  ["a signature of no bytes", note("— PeterNeumann x08gow==")],
  ["a line that is no signature", note(PETER_LINE, "Unexpected line.")],
  ["a hyphen for the dash", note(PETER_LINE.replace("—", "-"))],
  ["two spaces", note(PETER_LINE.replace("n x", "n  x"))],
  ["padding left out", note(PETER_LINE.slice(0, -1))],
  ["base64 that is not canonical", note(PETER_LINE.replace("nAM=", "nAN="))],
  ["nothing", ""],
  ["no text", `\n${PETER_LINE}\n`],
])("refuses a note with %s", (_name, text) => {
  expect(() => parseNote(text)).toThrow(withCode("note-malformed"));
});

test("splits at the last empty line, so that a note can hold a note", () => {
  const inner = note(PETER_LINE);
  const outerText = `outer/v1\n${inner}`;
  const outer = composeNote(outerText, [signNoteLine("outer.example", PETER_SEED, outerText)]);
  const parsed = parseNote(outer);
  expect(parsed.text).toBe(outerText);
  expect(parsed.signatures.map(({ name }) => name)).toEqual(["outer.example"]);
  expect(openNote(parsed.text.slice("outer/v1\n".length), [peter]).text).toBe(TEXT);
});

test("refuses a note with any byte changed", () => {
  const original = note(PETER_LINE);
  for (let at = 0; at < original.length; at += 1) {
    for (const bit of [1, 2, 16]) {
      const changed = String.fromCharCode(original.charCodeAt(at) ^ bit);
      const mutated = original.slice(0, at) + changed + original.slice(at + 1);
      expect(() => openNote(mutated, [peter]), `position ${at}`).toThrow();
    }
    const shorter = original.slice(0, at) + original.slice(at + 1);
    expect(() => openNote(shorter, [peter]), `without ${at}`).toThrow();
  }
});

test("keeps only the signatures that are asked for", () => {
  const both = note(PETER_LINE, ENOCH_LINE);
  expect(keepSignatures(both, ({ name }) => name === "EnochRoot")).toBe(note(ENOCH_LINE));
  expect(keepSignatures(both, () => true)).toBe(both);
  expect(() => keepSignatures(both, () => false)).toThrow(withCode("note-malformed"));
});

test("writes no note that could not be read", () => {
  expect(() => composeNote("no newline", [PETER_LINE])).toThrow(withCode("note-malformed"));
  expect(() => composeNote("a\tb\n", [PETER_LINE])).toThrow(withCode("note-malformed"));
  expect(() => composeNote(TEXT, [])).toThrow(withCode("note-malformed"));
  expect(() => composeNote(TEXT, ["no signature"])).toThrow(withCode("note-malformed"));
  expect(() => composeNote(TEXT, [`${PETER_LINE}\n`])).toThrow(withCode("note-malformed"));
  expect(() => formatSignatureLine("a b", 1, new Uint8Array(64))).toThrow();
  expect(() => signNoteLine("a", PETER_SEED, "no newline")).toThrow(withCode("note-malformed"));
});

test("writes key ids as unsigned numbers", () => {
  const line = formatSignatureLine("a", 0xffffffff, Uint8Array.of(1));
  expect(line).toBe(`— a ${toBase64(Uint8Array.of(255, 255, 255, 255, 1))}`);
  expect(parseNote(`t\n\n${line}\n`).signatures[0]?.keyId).toBe(0xffffffff);
});
