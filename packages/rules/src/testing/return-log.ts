// A log with returns, a recall that is refused, and a cancellation; and what dishonest parties may try
// with it, together with the operator. One corpus for every verifier, like `forgeries.ts`.
import {
  statementText,
  type EntryContext,
  type Posting,
  type Return,
  type Terms,
} from "@sealane/protocol";
import type { ReturnCommand } from "../commands.ts";
import { returnPostings, worthOf } from "../returns/amounts.ts";
import { readOriginal, type Original } from "../returns/original.ts";
import { putTogether, signPiece, takeApart, type Piece } from "./forge.ts";
import { change, changeInner, resigned, type Edit, type Forgery } from "./forgeries.ts";
import { fx, operator, ph, testKeys } from "./genesis.ts";
import { signed } from "./keys.ts";
import { giveBack, recall, refuseRecall, type ReturnOptions } from "./return-statements.ts";
import * as say from "./statements.ts";
import { makeFundedWorld, type World } from "./world.ts";

/** Where each stands; the cancellation is of `b`. */
const at = {
  a: 6,
  b: 7,
  part: 8,
  recall: 9,
  refusal: 10,
  rest: 11,
  cancel: 12,
  whole: 13,
} as const;

/** 0–2 as ever; 3, 4: cover to give back; 5: a sheet of the other direction. */
export const makeReturnLog = (): World => {
  const world = makeFundedWorld();
  const keys = world.keys();
  world.run([
    say.advance(keys, { key: "ph", participant: ph, currency: "PHP", amount: "20000.00" }),
  ]);
  world.run([
    say.advance(keys, { key: "fx", participant: fx, currency: "HKD", amount: "20000.00" }),
  ]);
  const pair = { from: "PHP", to: "HKD" };
  const priced = { pair, rate: "0.14", totalPerLane: "7000.00" };
  const back = say.rateSheet(keys, say.makeSheet(priced, world.nowMs()));
  world.run([back]);
  const a = world.transfer({ key: "a" });
  const b = world.transfer({ key: "b" });
  world.run([world.giveBack(a, { key: "1", amount: "1234.56", bearer: "payee", reason: "AC04" })]);
  const asked = world.recall(a, { key: "2", amount: "6000.00", reason: "DUPL" });
  world.run([asked]);
  world.run([refuseRecall(keys, asked)]);
  const sheet = { provider: fx, number: 1, hash: say.sheetHash(back) };
  const today = { currency: "HKD", amount: "840.13" };
  world.run([world.giveBack(a, { key: "3", rate: "today", sheet, back: today })]);
  const cancel = world.recall(b, { key: "4", cancel: true });
  world.run([cancel]);
  const answer = { recall: cancel.body.id, bearer: "earner", reason: "FOCR" } as const;
  world.run([world.giveBack(b, { key: "5", ...answer })]);
  return world;
};

const idAt = (pieces: readonly Piece[], position: number): string => {
  const [, line = ""] = (pieces[position] as Piece).inner.split("\n");
  return (JSON.parse(line) as { id: string }).id;
};

/** Another return in the place of one that stands there, with the postings that it would give. */
const otherReturn =
  (position: number, of: "a" | "b", before: bigint, options: ReturnOptions): Edit =>
  (pieces, world) => {
    const original = world.originalOf(idAt(pieces, at[of]));
    const told = { original, entry: world.entries[at[of]] ?? "", before };
    const made = giveBack(world.keys(), told, { key: "forged", ...options });
    return otherwise(pieces, position, made, original);
  };

/** Another return in some place, with what it would post. */
const otherwise = (
  pieces: readonly Piece[],
  position: number,
  { note, body }: ReturnCommand,
  { terms }: Original,
): Piece[] => {
  const worth = worthOf(body, terms);
  if (worth === undefined) throw new Error("the forged return is not worth anything");
  const { chains = [] } = pieces[at.part]?.context ?? {};
  return placed(pieces, position, note, { postings: returnPostings(body, terms, worth), chains });
};

const placed = (
  pieces: readonly Piece[],
  position: number,
  inner: string,
  fields: Partial<EntryContext> = {},
): Piece[] =>
  pieces.map((piece, place) =>
    place === position ? { context: { ...piece.context, ...fields }, inner } : piece,
  );

/** A transfer of ten times as much that all parties and the operator signed, and that was never logged. */
const neverLogged: Edit = (pieces, world) => {
  const more = (text: string): string => text.replaceAll(/"(\d+)(\.\d\d)"/g, '"$10$2"');
  const { context, inner } = takeApart(world.entries[at.a] ?? "");
  const [head = "", line = ""] = inner.split("\n");
  const raised = JSON.parse(more(line)) as Terms;
  const terms = signed(`${head}\n${JSON.stringify({ ...raised, residue: "0" })}\n`, [
    testKeys.hk,
    testKeys.ph,
  ]);
  const postings = JSON.parse(more(JSON.stringify(context.postings))) as Posting[];
  const entry = signPiece({ context: { ...context, postings }, inner: terms });
  const original = readOriginal(world.origin, entry);
  if (original === undefined) throw new Error("the forged transfer cannot be read");
  const told = { original, entry, before: 0n };
  return otherwise(pieces, at.part, giveBack(world.keys(), told, { key: "never" }), original);
};

/** The recall at its place, refused by its payee, in the place of something else. */
const refusedAt =
  (position: number, of: number): Edit =>
  (pieces, world) => {
    const asked = (pieces[of] as Piece).inner;
    const body = { recall: idAt(pieces, of), participant: ph, reason: "CUST" };
    const text = statementText(world.origin, "recall-refusal", body, asked);
    const chains = (pieces[at.refusal] as Piece).context.chains;
    return placed(pieces, position, signed(text, [testKeys.ph]), { chains, postings: [] });
  };

/** A recall of `b` in another place, by its payer. */
const recallAt =
  (position: number, options: Parameters<typeof recall>[2]): Edit =>
  (pieces, world) => {
    const original = world.originalOf(idAt(pieces, at.b));
    const told = { original, entry: world.entries[at.b] ?? "" };
    const { note } = recall(world.keys(), told, { key: "forged", ...options });
    const chains = (pieces[at.recall] as Piece).context.chains;
    return placed(pieces, position, note, { chains, postings: [] });
  };

/** Another return under the sheet of which one has used nearly all. */
const beyondTotal: Edit = (pieces, world) => {
  const { sheet } = JSON.parse((pieces[at.rest] as Piece).inner.split("\n")[1] ?? "") as Return;
  if (sheet === undefined) throw new Error("no return at the rate of its day");
  const back = { currency: "HKD", amount: "140.00" };
  const more = { amount: "1000.00", rate: "today", sheet, back } as const;
  return otherReturn(at.cancel, "b", 0n, more)(pieces, world);
};

const later = "2026-12-23T07:00:00.000Z";

export const returnForgeries: readonly Forgery[] = [
  [
    "a return that hides the one before",
    otherReturn(at.rest, "a", 0n, {}),
    at.rest,
    "return-conflict",
  ],
  [
    "a return of more than was received",
    changeInner(at.rest, resigned('"before":"1234.56"', '"before":"9234.56"', ["ph"])),
    at.rest,
    "return-exceeds",
  ],
  ["a return of a transfer that was never logged", neverLogged, at.part, "original-unknown"],
  [
    "a return that names another place",
    changeInner(at.part, resigned('"seq":6', '"seq":7', ["ph"])),
    at.part,
    "original-unknown",
  ],
  [
    "a return by the payer",
    changeInner(at.part, resigned('"bearer"', '"bearer"', ["hk"])),
    at.part,
    "signature-missing",
  ],
  [
    "a return that gives back a cent more",
    changeInner(at.part, resigned('"amount":"170.62"', '"amount":"170.63"', ["ph"])),
    at.part,
    "amount-mismatch",
  ],
  [
    "a return whose amount is written otherwise",
    changeInner(at.part, resigned('"amount":"1234.56"', '"amount":"1234.560"', ["ph"])),
    at.part,
    "amount-invalid",
  ],
  [
    "a return for a reason of no external set",
    changeInner(at.part, resigned('"AC04"', '"ZZ99"', ["ph"])),
    at.part,
    "statement-schema",
  ],
  [
    "a return whose postings are another's",
    change(at.part, { postings: [] }),
    at.part,
    "postings-mismatch",
  ],
  ["a return after 30 days", change(at.part, { time: later }), at.part, "return-late"],
  [
    "a return at another price than the sheet's",
    changeInner(at.rest, resigned('"840.13"', '"840.14"', ["ph"])),
    at.rest,
    "amount-mismatch",
  ],
  [
    "a return under a sheet that holds no more",
    change(at.rest, { time: "2026-11-22T13:00:00.000Z" }),
    at.rest,
    "sheet-not-honoured",
  ],
  ["returns beyond the total of the sheet of their day", beyondTotal, at.cancel, "sheet-exhausted"],
  [
    "a cancellation answered by a part",
    (pieces, world) =>
      otherReturn(at.whole, "b", 0n, {
        amount: "100.00",
        bearer: "earner",
        recall: idAt(pieces, at.cancel),
      })(pieces, world),
    at.whole,
    "recall-binding",
  ],
  [
    "a return at the earner's cost that answers a mere recall",
    (pieces, world) =>
      otherReturn(at.refusal, "a", 123_456n, {
        bearer: "earner",
        recall: idAt(pieces, at.recall),
      })(pieces, world),
    at.refusal,
    "return-terms",
  ],
  [
    "a return that answers another's recall",
    (pieces, world) =>
      otherReturn(at.whole, "b", 0n, { recall: idAt(pieces, at.recall) })(pieces, world),
    at.whole,
    "recall-unknown",
  ],
  ["a recall refused twice", refusedAt(at.rest, at.recall), at.rest, "recall-unknown"],
  [
    "a cancellation refused before it was paid out",
    refusedAt(at.whole, at.cancel),
    at.whole,
    "not-paid-out",
  ],
  ["a recall while another is open", recallAt(at.whole, {}), at.whole, "recall-open"],
  [
    "a cancellation after half an hour",
    (pieces, world) => change(at.cancel, { time: "2026-11-22T08:00:00.000Z" })(pieces, world),
    at.cancel,
    "not-cancellable",
  ],
  [
    "a fee given back by the operator, and no recall",
    otherReturn(at.part, "a", 0n, { bearer: "earner" }),
    at.part,
    "return-terms",
  ],
  [
    "a return that leaves the operator's fee out",
    (pieces, world) => {
      const { context } = pieces[at.whole] as Piece;
      const postings = context.postings.filter(({ debit }) => !debit.startsWith(operator));
      return change(at.whole, { postings })(pieces, world);
    },
    at.whole,
    "postings-mismatch",
  ],
];

export const forgeReturns = ([, edit]: Forgery): {
  readonly world: World;
  readonly entries: string[];
} => {
  const world = makeReturnLog();
  return { world, entries: putTogether(edit(world.entries.map(takeApart), world)) };
};
