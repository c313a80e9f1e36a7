import { expect, test } from "vitest";
import { toBase64 } from "./bytes.ts";
import { formatAddCheckpoint, parseAddCheckpoint } from "./witness-request.ts";

const malformed = expect.objectContaining({ code: "witness-request-malformed" }) as Error;
/** The example of c2sp.org/tlog-witness. */
const HASHES = [
  "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=",
  "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=",
  "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=",
  "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=",
];
const CHECKPOINT =
  "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
  "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
  "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
const BODY = `old 20852014\n${HASHES.join("\n")}\n\n${CHECKPOINT}`;

test("reads and writes the example of the specification", () => {
  const request = parseAddCheckpoint(BODY);
  expect(request.oldSize).toBe(20852014);
  expect(request.proof.map(toBase64)).toEqual(HASHES);
  expect(request.checkpoint).toBe(CHECKPOINT);
  expect(formatAddCheckpoint(request)).toBe(BODY);
});

test("reads a request without a proof", () => {
  const body = `old 0\n\n${CHECKPOINT}`;
  expect(parseAddCheckpoint(body)).toEqual({ oldSize: 0, proof: [], checkpoint: CHECKPOINT });
  expect(formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint: CHECKPOINT })).toBe(body);
});

test("takes 63 lines of proof and no more", () => {
  const lines = (n: number) => `old 1\n${`${HASHES[0]}\n`.repeat(n)}\n${CHECKPOINT}`;
  expect(parseAddCheckpoint(lines(63)).proof).toHaveLength(63);
  expect(() => parseAddCheckpoint(lines(64))).toThrow(malformed);
});

test.each([
  ["nothing", ""],
  ["no old size", BODY.slice(BODY.indexOf("\n") + 1)],
  ["a leading zero", BODY.replace("old 2", "old 02")],
  ["a negative old size", BODY.replace("old 2", "old -2")],
  ["two spaces", BODY.replace("old ", "old  ")],
  ["a space at the end", BODY.replace("014\n", "014 \n")],
  ["a capital", BODY.replace("old", "Old")],
  ["a size that no double holds", BODY.replace("20852014", "9007199254740993")],
  ["a short hash", BODY.replace("PlRN", "")],
  ["a hash that is not canonical", BODY.replace("Dpkaw=", "Dpkax=")],
  ["a carriage return", BODY.replace("\n", "\r\n")],
  ["no checkpoint", BODY.slice(0, BODY.indexOf("\n\n") + 2)],
  ["no empty line", BODY.replace("\n\n", "\n")],
  ["no signature", BODY.slice(0, BODY.indexOf("\n— "))],
  ["no newline at the end", BODY.slice(0, -1)],
])("refuses a request with %s", (_name, body) => {
  expect(() => parseAddCheckpoint(body)).toThrow(malformed);
});

test("gives every body that it reads back unchanged, after any change of a character", () => {
  let read = 0;
  for (let at = 0; at < BODY.length; at += 1) {
    for (const bit of [1, 4]) {
      const changed = String.fromCharCode(BODY.charCodeAt(at) ^ bit);
      const body = BODY.slice(0, at) + changed + BODY.slice(at + 1);
      let request;
      try {
        request = parseAddCheckpoint(body);
      } catch (error) {
        expect(error).toMatchObject({ code: "witness-request-malformed" });
        continue;
      }
      read += 1;
      expect(formatAddCheckpoint(request)).toBe(body);
    }
  }
  expect(read).toBeGreaterThan(0);
});

test("writes no request that could not be read", () => {
  const good = parseAddCheckpoint(BODY);
  expect(() => formatAddCheckpoint({ ...good, oldSize: -1 })).toThrow(malformed);
  expect(() => formatAddCheckpoint({ ...good, proof: [new Uint8Array(31)] })).toThrow(malformed);
  expect(() => formatAddCheckpoint({ ...good, checkpoint: "x" })).toThrow(malformed);
  const many = Array.from({ length: 64 }, () => new Uint8Array(32));
  expect(() => formatAddCheckpoint({ ...good, proof: many })).toThrow(malformed);
});
