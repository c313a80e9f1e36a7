import { expect, test } from "vitest";
import { checkCheckpoint } from "./check-policy.ts";
import { formatCheckpointText } from "./checkpoint.ts";
import { publicKeyOf } from "./ed25519.ts";
import { composeNote } from "./note.ts";
import { parsePolicy } from "./policy.ts";
import { cosignLine, signNoteLine } from "./sign-note.ts";
import { formatVerifierKey } from "./verifier-key.ts";

const ORIGIN = "ledger.example/2026/0";
const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const vkey = (name: string, type: 1 | 4, n: number): string =>
  formatVerifierKey(name, type, publicKeyOf(seed(n)));
const WITNESSES = ["hk", "ph", "fx", "auditor"];

/** The default of this system: four witnesses, any three of them. */
const policy = parsePolicy(
  [
    `log ${vkey(ORIGIN, 1, 1)}`,
    `log ${vkey("ledger.example/2026/1", 1, 2)}`,
    ...WITNESSES.map((name, at) => `witness ${name} ${vkey(`${name}.example/w`, 4, 10 + at)}`),
    `group seal 3 ${WITNESSES.join(" ")}`,
    "quorum seal\n",
  ].join("\n"),
);
const text = formatCheckpointText({
  origin: ORIGIN,
  size: 7,
  root: new Uint8Array(32).fill(1),
  extensions: [],
});
const logLine = signNoteLine(ORIGIN, seed(1), text);
const cosign = (name: string, time = 1_795_000_000): string =>
  cosignLine(`${name}.example/w`, seed(10 + WITNESSES.indexOf(name)), text, time);
const check = (...lines: string[]) => checkCheckpoint(policy, composeNote(text, lines));
const withCode = (code: string) => expect.objectContaining({ code }) as Error;

test("tells a logged checkpoint from a sealed one", () => {
  expect(check(logLine)).toMatchObject({ cosignedBy: [], quorum: false });
  expect(check(logLine, cosign("hk"), cosign("fx"))).toMatchObject({ quorum: false });
  const sealed = check(logLine, cosign("auditor", 5), cosign("hk", 6), cosign("fx", 7));
  expect(sealed.quorum).toBe(true);
  expect(sealed.checkpoint).toMatchObject({ origin: ORIGIN, size: 7 });
  expect(sealed.log.name).toBe(ORIGIN);
  expect(sealed.cosignedBy).toEqual([
    { name: "hk", time: 6 },
    { name: "fx", time: 7 },
    { name: "auditor", time: 5 },
  ]);
});

test("counts a witness once, however often it signs", () => {
  const lines = [1, 2, 3].map((time) => cosign("hk", time));
  const checked = check(logLine, ...lines);
  expect(checked.cosignedBy).toEqual([{ name: "hk", time: 1 }]);
  expect(checked.quorum).toBe(false);
});

test("ignores witnesses that the policy does not know", () => {
  const stranger = cosignLine("hk.example/w", seed(99), text, 1);
  expect(check(logLine, stranger, cosign("ph"), cosign("fx")).quorum).toBe(false);
});

test("refuses a checkpoint that the log did not sign, even with a quorum", () => {
  const cosignatures = WITNESSES.map((name) => cosign(name));
  expect(() => check(...cosignatures)).toThrow(withCode("note-unknown-key"));
});

test("refuses a checkpoint that another log of the policy signed", () => {
  const other = signNoteLine("ledger.example/2026/1", seed(2), text);
  expect(() => check(other)).toThrow(withCode("note-unknown-key"));
  const renamed = signNoteLine(ORIGIN, seed(2), text);
  expect(() => check(renamed)).toThrow(withCode("note-unknown-key"));
});

test("refuses a bad signature of the log or of a known witness", () => {
  const bad = (line: string) => line.replace(/.(?=...=*$)/, (c) => (c === "A" ? "B" : "A"));
  expect(() => check(bad(logLine))).toThrow(withCode("note-bad-signature"));
  const all = WITNESSES.map((name) => cosign(name));
  expect(() => check(logLine, bad(all[0]!), ...all.slice(1))).toThrow(
    withCode("note-bad-signature"),
  );
});

test("refuses what is no checkpoint, though the log signed it", () => {
  const note = composeNote("hello\n", [signNoteLine(ORIGIN, seed(1), "hello\n")]);
  expect(() => checkCheckpoint(policy, note)).toThrow(withCode("checkpoint-malformed"));
  expect(() => checkCheckpoint(policy, text)).toThrow(withCode("note-malformed"));
});
