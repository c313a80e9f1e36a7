// What a dishonest operator may try: logs in which every number, hash, operator's signature and
// cosignature fits, and something is wrong all the same. One corpus for every verifier: ours, and those
// in `verifiers/`.
import { statementText, type EntryContext } from "@sealane/protocol";
import { composeNote, leafHash, parseNote, toBase64 } from "@sealane/tlog";
import { putTogether, takeApart, type Piece } from "./forge.ts";
import { makeLog } from "./audit-kit.ts";
import { fx, hk, origin, ph, testKeys } from "./genesis.ts";
import { lineOf } from "./keys.ts";
import { makeFundedWorld, type World } from "./world.ts";

export type Edit = (pieces: Piece[], world: World) => Piece[];

export const change =
  (position: number, fields: Partial<EntryContext>): Edit =>
  (pieces) =>
    pieces.map((piece, at) =>
      at === position ? { ...piece, context: { ...piece.context, ...fields } } : piece,
    );

export const changeInner =
  (position: number, edit: (inner: string, world: World) => string): Edit =>
  (pieces, world) =>
    pieces.map((piece, at) =>
      at === position ? { ...piece, inner: edit(piece.inner, world) } : piece,
    );

const without =
  (...positions: number[]): Edit =>
  (pieces) =>
    pieces.filter((_, at) => !positions.includes(at));

/** The inner note's JSON changed and signed again by these keys. */
export const resigned =
  (from: string, to: string, keys: readonly (keyof typeof testKeys)[]) =>
  (inner: string): string => {
    const { text } = parseNote(inner);
    if (!text.includes(from)) throw new Error(`the statement has no ${from}`);
    const changed = text.replace(from, to);
    return composeNote(
      changed,
      keys.map((name) => lineOf(testKeys[name], changed)),
    );
  };

const lessSignatures =
  (...names: (keyof typeof testKeys)[]) =>
  (inner: string): string => {
    const { text, signatures } = parseNote(inner);
    const drop = new Set(names.map((name) => testKeys[name].name));
    return composeNote(
      text,
      signatures.filter(({ name }) => !drop.has(name)).map(({ line }) => line),
    );
  };

/** The rejection again, around terms with a line of somebody else's only. */
const rejectedWithout = (inner: string): string => {
  const [head, body, ...below] = parseNote(inner).text.split("\n");
  const terms = parseNote(below.join("\n"));
  const text = `${head}\n${body}\n${composeNote(terms.text, [lineOf(testKeys.fxTransfer, terms.text)])}`;
  return composeNote(text, [lineOf(testKeys.ph, text)]);
};

const again = ([...pieces]: Piece[], position: number): Piece[] => [
  ...pieces,
  { ...(pieces[position] as Piece), context: at(pieces, position, {}) },
];

const at = (pieces: readonly Piece[], position: number, fields: Partial<EntryContext>) => ({
  ...(pieces[position] as Piece).context,
  time: (pieces.at(-1) as Piece).context.time,
  ...fields,
});

const postings3 = (pieces: readonly Piece[]) => (pieces[3] as Piece).context.postings;

export type Forgery = readonly [what: string, edit: Edit, position: number, code: string];

/** Edits of `makeLog()`: where the first fault is, and what our audit calls it. */
export const forgeries: readonly Forgery[] = [
  ["an entry twice", (pieces) => again(pieces, 10), 11, "ended-twice"],
  ["an advance twice", (pieces) => again(pieces, 0), 11, "ended-twice"],
  [
    "credits up to where there were credits",
    (pieces) => again(pieces, 6),
    11,
    "credited-backwards",
  ],
  [
    "a transfer before its sheet",
    ([a, b, c, d, ...rest]) => [a, b, d, c, ...rest] as Piece[],
    2,
    "sheet-unknown",
  ],
  ["a rejection whose sheet was never logged", without(2, 3), 2, "sheet-unknown"],
  ["no cover for the payer", without(0), 2, "cover-exceeded"],
  ["no cover for the provider", without(1), 2, "cover-exceeded"],
  [
    "an amount posted that is not the terms'",
    (pieces) =>
      change(3, {
        postings: postings3(pieces).map((one, n) => (n === 1 ? { ...one, amount: "997.00" } : one)),
      })(pieces, makeFundedWorld()),
    3,
    "postings-mismatch",
  ],
  [
    "a posting left out",
    (pieces) => change(3, { postings: postings3(pieces).slice(1) })(pieces, makeFundedWorld()),
    3,
    "postings-mismatch",
  ],
  [
    "a posting for a rejection",
    (pieces) => change(4, { postings: postings3(pieces) })(pieces, makeFundedWorld()),
    4,
    "postings-mismatch",
  ],
  [
    "a participant left out of the chains",
    (pieces) =>
      change(3, { chains: (pieces[3] as Piece).context.chains.slice(1) })(
        pieces,
        makeFundedWorld(),
      ),
    3,
    "chains-mismatch",
  ],
  [
    "a stranger in the chains",
    (pieces) =>
      change(2, { chains: (pieces[3] as Piece).context.chains })(pieces, makeFundedWorld()),
    2,
    "chains-mismatch",
  ],
  [
    "time that goes backwards",
    change(6, { time: "2026-11-22T07:00:00.000Z" }),
    6,
    "time-backwards",
  ],
  [
    "a commit at the instant of expiry",
    change(3, { time: "2026-11-22T07:01:01.020Z" }),
    3,
    "expired",
  ],
  [
    "an expiry one millisecond early",
    change(10, { time: "2026-11-22T07:01:01.039Z" }),
    10,
    "not-expired",
  ],
  [
    "an expiry said to be a commit",
    change(10, { outcome: "committed", reason: undefined }),
    10,
    "expired",
  ],
  [
    "a rejection said to be a commit",
    change(4, { outcome: "committed", reason: undefined }),
    4,
    "outcome-mismatch",
  ],
  [
    "a rejection of terms that the payer has not signed",
    changeInner(4, rejectedWithout),
    4,
    "signature-missing",
  ],
  ["another reason than the payee's", change(4, { reason: "AC01" }), 4, "outcome-mismatch"],
  ["other rules", change(3, { rules: 2 }), 3, "rules-unknown"],
  [
    "a key-log root that never was",
    change(3, { keys: { size: 5, root: toBase64(leafHash("x")) } }),
    3,
    "keys-unknown",
  ],
  [
    "a key log that shrinks",
    (pieces, world) =>
      change(7, { keys: { size: 11, root: world.keyLog.history().roots[11] ?? "" } })(
        pieces,
        world,
      ),
    7,
    "keys-backwards",
  ],
  ["no signature of the payee", changeInner(3, lessSignatures("ph")), 3, "signature-missing"],
  ["no signature of the payer", changeInner(3, lessSignatures("hk")), 3, "signature-missing"],
  [
    "a signature of the payee over other terms",
    changeInner(3, (inner, world) => {
      const other = parseNote(takeApart(world.entries[8] ?? "").inner);
      const { text, signatures } = parseNote(inner);
      const lines = [...signatures.slice(0, 1), ...other.signatures.slice(1)];
      return composeNote(
        text,
        lines.map(({ line }) => line),
      );
    }),
    3,
    "signature-wrong",
  ],
  ["one operator alone", changeInner(0, lessSignatures("bob")), 0, "signature-missing"],
  [
    "a sheet that its provider has not signed",
    changeInner(2, resigned("7.25", "7.20", ["hk"])),
    2,
    "signature-missing",
  ],
  [
    "a sheet signed with a key for transfers",
    changeInner(2, resigned("7.25", "7.20", ["fxTransfer"])),
    2,
    "key-purpose",
  ],
  [
    "terms with another amount, signed by both",
    changeInner(3, resigned('"amount":"7235.50"', '"amount":"7235.51"', ["hk", "ph"])),
    3,
    "amount-mismatch",
  ],
  [
    "terms with a smaller fee, signed by both",
    changeInner(3, resigned('"amount":"2.00"', '"amount":"1.99"', ["hk", "ph"])),
    3,
    "fee-mismatch",
  ],
  [
    "terms under an unknown policy",
    changeInner(3, resigned("transfer/1", "transfer/0", ["hk", "ph"])),
    3,
    "policy-unknown",
  ],
  [
    "terms for another log",
    changeInner(3, resigned(`${origin}/transfer`, "sealane.example/2025/0/transfer", ["hk", "ph"])),
    3,
    "wrong-log",
  ],
  [
    "terms that last longer than 300 s",
    changeInner(3, resigned("2026-11-22T07:01:01.020Z", "2026-11-22T07:06:02.041Z", ["hk", "ph"])),
    3,
    "expiry-too-far",
  ],
  [
    "terms that carry something after them",
    changeInner(3, (inner) => {
      const text = `${parseNote(inner).text}more\n`;
      return composeNote(text, [lineOf(testKeys.hk, text), lineOf(testKeys.ph, text)]);
    }),
    3,
    "statement-malformed",
  ],
  [
    "a cancellation by another",
    changeInner(5, resigned(hk, fx, ["fxTransfer"])),
    5,
    "statement-malformed",
  ],
  [
    "a sheet whose number does not grow",
    changeInner(7, resigned('"number":2', '"number":1', ["fx"])),
    7,
    "sheet-number",
  ],
  [
    "a withdrawal of a sheet that never was",
    changeInner(9, resigned('"number":2', '"number":3', ["fx"])),
    9,
    "sheet-unknown",
  ],
  [
    "a credit of an entry that is not there yet",
    changeInner(6, resigned('"upTo":0', '"upTo":3', ["ph"])),
    6,
    "credited-ahead",
  ],
  [
    "a credit that names another history",
    changeInner(6, (inner, world) => {
      const head = world.chains.get(ph)?.[0] ?? "";
      return resigned(head, toBase64(leafHash("other")), ["ph"])(inner);
    }),
    6,
    "credited-head",
  ],
  ["no inner note", changeInner(3, () => ""), 3, "statement-malformed"],
  [
    "an inner note of no known kind",
    changeInner(3, () => {
      const text = statementText(origin, "gift", {});
      return composeNote(text, [lineOf(testKeys.hk, text)]);
    }),
    3,
    "statement-kind",
  ],
];

/** The entries of a forged log, and the world around them. */
export const forge = ([, edit]: Forgery): { readonly world: World; readonly entries: string[] } => {
  const world = makeLog();
  return { world, entries: putTogether(edit(world.entries.map(takeApart), world)) };
};
