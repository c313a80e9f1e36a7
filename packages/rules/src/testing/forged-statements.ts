// More of what a dishonest operator may try, together with dishonest parties: statements that are signed
// again by everybody and mean two things or nothing, and signatures by keys that do not count.
import { statementText } from "@sealane/protocol";
import { composeNote, parseNote } from "@sealane/tlog";
import { change, changeInner, resigned, type Edit, type Forgery } from "./forgeries.ts";
import { hk, lanesRecord, operator, origin, origin1, ph, testKeys } from "./genesis.ts";
import { lineOf, testKey, type TestKey } from "./keys.ts";
import type { World } from "./world.ts";

/** The inner note with other lines below the same text. */
const signedBy = (position: number, ...keys: readonly TestKey[]): Edit =>
  changeInner(position, (inner) => {
    const { text } = parseNote(inner);
    return composeNote(
      text,
      keys.map((key) => lineOf(key, text)),
    );
  });

/** A line of `key` whose signature is over something else, beside the good ones. */
const badLine = (position: number, key: TestKey): Edit =>
  changeInner(position, (inner) => {
    const { text, signatures } = parseNote(inner);
    const good = signatures.map(({ line }) => line);
    return composeNote(text, [...good, lineOf(key, "something else\n")]);
  });

/** Something more in the key log, which the entry cites. */
const underKeys =
  (position: number, log: (world: World) => void): Edit =>
  (pieces, world) => {
    log(world);
    const { size, roots } = world.keyLog.history();
    return change(position, { keys: { size, root: roots[size] ?? "" } })(pieces, world);
  };

/** All slots leave right before an entry, as the key log says by then. */
const afterSlotsLeft =
  (position: number): Edit =>
  (pieces, world) => {
    const all = [{ from: 0, to: 1_024 }];
    world.keyLog.log("lanes", lanesRecord([], all), [alice, bob], world.nowMs());
    const { size, roots } = world.keyLog.history();
    const keys = { size, root: roots[size] ?? "" };
    const later = change(position, { keys })(pieces, world);
    const [next] = later.slice(position);
    if (next === undefined) throw new Error("no such entry");
    const text = statementText(origin, "slots-out", { to: origin1, slots: all, open: [] });
    const inner = composeNote(text, [lineOf(testKeys.entry, text)]);
    const said = { ...next.context, outcome: "recorded" as const };
    const context = { ...said, chains: [], postings: [] };
    return [...later.slice(0, position), { context, inner }, ...later.slice(position)];
  };

const { alice, bob } = testKeys;
const both = ["hk", "ph"] as const;
const json = (what: string, from: string, to: string): Forgery => [
  `terms with ${what}`,
  changeInner(3, resigned(from, to, both)),
  3,
  what.startsWith("a field") ? "statement-schema" : "statement-malformed",
];
const schema = (what: string, from: string, to: string): Forgery => [
  `terms with ${what}`,
  changeInner(3, resigned(from, to, both)),
  3,
  "statement-schema",
];
const elsewhere = (what: string, to: string): Forgery => [
  `terms for ${what}`,
  changeInner(3, resigned(`${origin}/transfer`, `${to}/transfer`, both)),
  3,
  "wrong-log",
];

export const forgedStatements: readonly Forgery[] = [
  json("a key twice", '"fixed":"send"', '"fixed":"send","fixed":"send"'),
  json("a key twice, once escaped", '"fixed":"send"', '"fixed":"send","\\u0066ixed":"send"'),
  json("NaN", '"number":1', '"number":NaN'),
  json("a number with a fraction", '"number":1', '"number":1.0'),
  json("a number with an exponent", '"number":1', '"number":1e0'),
  json("a number nearly a counter", '"number":1', '"number":1.00000000000000000001'),
  json("a negative zero", '"number":1', '"number":-0'),
  json("a number with a leading zero", '"number":1', '"number":01'),
  json("half of a surrogate pair in a key", '"fixed":"send"', '"fixed":"send","\\ud800":1'),
  json("a comma too many", '"fixed":"send",', '"fixed":"send",,'),
  json("something behind the JSON", '"}\n', '"}{}\n'),
  ...["{}", '""'].map((empty): Forgery => [
    `credits with ${empty} where a list belongs`,
    changeInner(6, resigned('"except":[]', `"except":${empty}`, ["ph"])),
    6,
    "statement-schema",
  ]),
  schema("an unknown field", '"fixed":"send"', '"fixed":"send","note":"x"'),
  schema("a field called __proto__", '"fixed":"send"', '"fixed":"send","__proto__":{"a":1}'),
  schema("a field in capitals", '"fixed":"send"', '"Fixed":"send"'),
  schema("a field missing", '"fixed":"send",', ""),
  schema("a field null", '"fixed":"send"', '"fixed":null'),
  schema("a number beyond 2^53", '"number":1', '"number":9007199254740993'),
  schema("a number for an amount", '"amount":"1000.00"', '"amount":1000'),
  schema("an amount with an exponent", '"amount":"1000.00"', '"amount":"1e3"'),
  schema("an amount with a newline", '"amount":"1000.00"', '"amount":"1000.00\\n"'),
  schema("digits that are not ASCII", '"amount":"1000.00"', '"amount":"\\u0661000.00"'),
  schema("a rate in words", '"rate":"7.25"', '"rate":"Infinity"'),
  [
    "a sheet honoured until a day that does not exist",
    changeInner(2, resigned('"honourUntil":"2026-11-22', '"honourUntil":"2026-11-31', ["fx"])),
    2,
    "statement-schema",
  ],
  [
    "an advance whose note has half of a surrogate pair",
    changeInner(0, resigned('"note":"test"', '"note":"\\ud83d!"', ["alice", "bob"])),
    0,
    "statement-malformed",
  ],
  elsewhere("another lane", `${operator}/2026/1`),
  elsewhere("another period", `${operator}/2025/0`),
  elsewhere("another ledger", "other.example/2026/0"),
  ["an expiry for another reason", change(10, { reason: "AC04" }), 10, "reason-mismatch"],
  ["a commit for a reason", change(3, { reason: "AC04" }), 3, "reason-mismatch"],
  ["a sheet for a reason", change(2, { reason: "AB05" }), 2, "reason-mismatch"],
  ["the payer's line twice", signedBy(3, testKeys.hk, testKeys.hk), 3, "signature-missing"],
  ["two keys of the payer", signedBy(3, testKeys.hk, testKeys.hk2), 3, "signature-missing"],
  [
    "a payee's key nobody registered",
    signedBy(3, testKeys.hk, testKey(`${ph}/k9`)),
    3,
    "signature-missing",
  ],
  ["a stranger for the payer", signedBy(3, testKeys.stranger, testKeys.ph), 3, "signature-missing"],
  ["the payee's root key", signedBy(3, testKeys.hk, testKeys.phRoot), 3, "signature-missing"],
  ["operators for the payer", signedBy(3, alice, bob, testKeys.ph), 3, "signature-missing"],
  ["one operator twice", signedBy(0, alice, alice), 0, "signature-missing"],
  ["a bad second line of the payer", badLine(3, testKeys.hk), 3, "signature-wrong"],
  ["a bad line of another key of the payer", badLine(3, testKeys.hk2), 3, "signature-wrong"],
  ["a bad line of an operator", badLine(3, alice), 3, "signature-wrong"],
  ["a bad line of the entry key", badLine(3, testKeys.entry), 3, "signature-wrong"],
  [
    "a rejection of terms with a bad line of somebody's",
    changeInner(4, (inner) => {
      const { text } = parseNote(inner);
      const line = lineOf(testKeys.fxTransfer, "something else\n");
      return composeNote(`${text}${line}\n`, [lineOf(testKeys.ph, `${text}${line}\n`)]);
    }),
    4,
    "signature-wrong",
  ],
  [
    "a payee's key that was revoked before",
    underKeys(3, ({ keyLog, nowMs }) => {
      const body = { participant: ph, vkey: testKeys.ph.vkey, reason: "lost" };
      keyLog.log("revocation", body, [testKeys.phRoot], nowMs());
    }),
    3,
    "key-revoked",
  ],
  [
    "a key that was registered later",
    (pieces, world) => {
      const later = testKey(`${hk}/k3`);
      const body = { participant: hk, purpose: "transfer", vkey: later.vkey };
      world.keyLog.log("key", body, [testKeys.hkRoot, later], world.nowMs());
      return signedBy(3, later, testKeys.ph)(pieces, world);
    },
    3,
    "signature-missing",
  ],
  ["a transfer whose slot has left for another lane", afterSlotsLeft(3), 4, "wrong-lane"],
  [
    "a payee that is suspended",
    underKeys(3, ({ keyLog, nowMs }) => {
      keyLog.log("suspension", { participant: ph, suspended: true, reason: "x" }, [alice], nowMs());
    }),
    3,
    "payee-suspended",
  ],
];
