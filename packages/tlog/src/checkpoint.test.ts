import { expect, test } from "vitest";
import { fromBase64 } from "./bytes.ts";
import { formatCheckpointText, parseCheckpointText } from "./checkpoint.ts";

/** The example of c2sp.org/tlog-checkpoint. */
const TEXT =
  "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const ROOT = fromBase64("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
const hasControl = (text: string): boolean => text.split("").some((c) => c < " " && c !== "\n");
const malformed = expect.objectContaining({ code: "checkpoint-malformed" }) as Error;

test("reads and writes the example of the specification", () => {
  const checkpoint = parseCheckpointText(TEXT);
  expect(checkpoint).toEqual({
    origin: "example.com/behind-the-sofa",
    size: 20852163,
    root: ROOT,
    extensions: [],
  });
  expect(formatCheckpointText(checkpoint)).toBe(TEXT);
});

test("carries extension lines as they are", () => {
  const checkpoint = parseCheckpointText(`${TEXT}ext one\n— ext\n`);
  expect(checkpoint.extensions).toEqual(["ext one", "— ext"]);
  expect(formatCheckpointText(checkpoint)).toBe(`${TEXT}ext one\n— ext\n`);
});

test.each([
  ["no newline at the end", TEXT.slice(0, -1)],
  ["nothing", ""],
  ["one line", "example.com\n"],
  ["two lines", "example.com\n1\n"],
  ["an empty origin", TEXT.replace("example.com/behind-the-sofa", "")],
  ["an empty extension", `${TEXT}\n`],
  ["an empty line inside", `${TEXT}a\n\nb\n`],
  ["a leading zero", TEXT.replace("20852163", "020852163")],
  ["a sign", TEXT.replace("20852163", "+20852163")],
  ["a negative size", TEXT.replace("20852163", "-1")],
  ["a size in hex", TEXT.replace("20852163", "0x10")],
  ["a size with a space", TEXT.replace("20852163", "20852163 ")],
  ["a size that no double holds", TEXT.replace("20852163", "9007199254740992")],
  ["a size above 2^64", TEXT.replace("20852163", "99999999999999999999")],
  ["other digits", TEXT.replace("20852163", "٢٠")],
  ["a short root", TEXT.replace("CsUY", "")],
  ["a root that is not canonical", TEXT.replace("q2I=", "q2J=")],
  ["a root without padding", TEXT.replace("q2I=", "q2I")],
])("refuses a checkpoint with %s", (_name, text) => {
  expect(() => parseCheckpointText(text)).toThrow(malformed);
});

test("writes no checkpoint that could not be read", () => {
  const good = parseCheckpointText(TEXT);
  expect(() => formatCheckpointText({ ...good, origin: "" })).toThrow(malformed);
  expect(() => formatCheckpointText({ ...good, origin: "a\nb" })).toThrow(malformed);
  expect(() => formatCheckpointText({ ...good, origin: "a\tb" })).toThrow();
  expect(() => formatCheckpointText({ ...good, size: -1 })).toThrow(malformed);
  expect(() => formatCheckpointText({ ...good, size: 1.5 })).toThrow(malformed);
  expect(() => formatCheckpointText({ ...good, size: 1e21 })).toThrow(malformed);
  expect(() => formatCheckpointText({ ...good, root: ROOT.subarray(1) })).toThrow(malformed);
  expect(() => formatCheckpointText({ ...good, extensions: [""] })).toThrow(malformed);
});

test("gives every text that it reads back unchanged, after any change of a character", () => {
  let read = 0;
  for (let at = 0; at < TEXT.length; at += 1) {
    for (const bit of [1, 2, 4, 8]) {
      const changed = String.fromCharCode(TEXT.charCodeAt(at) ^ bit);
      const text = TEXT.slice(0, at) + changed + TEXT.slice(at + 1);
      let checkpoint;
      try {
        checkpoint = parseCheckpointText(text);
      } catch (error) {
        expect(error).toMatchObject({ code: "checkpoint-malformed" });
        continue;
      }
      read += 1;
      // Control characters are the note's to refuse: the text of an opened note has none.
      if (!hasControl(text)) expect(formatCheckpointText(checkpoint)).toBe(text);
    }
  }
  expect(read).toBeGreaterThan(0);
});
