// Settlement before the verifiers in Go and Python: a log with windows, a bank's statements, cover, an
// abort and a default stands; the same log with one of them forged, put together anew so that all
// hashes fit, does not.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { joinNetParts } from "@sealane/protocol";
import { defaultPayments } from "@sealane/rules";
import {
  accountOf,
  audit,
  bankLinesOf,
  cut,
  fx,
  hk,
  lineOf,
  makeFundedWorld,
  makeRing,
  makeSettlingWorld,
  netsOf,
  operator,
  ph,
  policyText,
  putTogether,
  say,
  settle,
  signed,
  takeApart,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { parseNote } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publish } from "./corpus.ts";
import { publishedFiles, writeFolder } from "./published-folder.ts";
import { buildGoVerifier, findPythonVerifier, type Verifier } from "./verifiers.ts";

const deposit = (world: World, reference: string, amount: string) => {
  const account = accountOf(hk, "HKD");
  const line = { account, currency: "HKD", side: "credit", amount, status: "booked" } as const;
  const body = { reference: `D-${reference}`, lines: [{ ...line, reference }] };
  world.run([say.bankStatement(world.keys(), body)]);
};

/** A statement that is longer than an entry, here of more than two lines. */
const inParts = {
  reference: "D-LONG",
  lines: ["L-1", "L-2", "L-3", "L-4", "L-5"].map((reference) => ({
    reference,
    account: accountOf(hk, "HKD"),
    currency: "HKD",
    side: "credit" as const,
    amount: "1.00",
    status: "booked" as const,
  })),
};

const makeLog = (): World => {
  const world = makeSettlingWorld();
  deposit(world, "B-1", "400.00");
  world.transfer({ key: "a" });
  settle(world, bankLinesOf(netsOf(cut(world))));
  world.transfer({ key: "b" });
  const nets = netsOf(cut(world, 1));
  world.run([say.settlementAbort(world.keys(), { number: 1 })]);
  const body = { participant: hk, suspended: true, reason: "unpaid" };
  world.keyLog.log("suspension", body, [testKeys.alice], world.nowMs());
  const net = nets.find(({ participant }) => participant === hk);
  if (net === undefined) throw new Error("no net");
  const { settlement, balances } = world.state;
  const payments = defaultPayments(settlement, balances, net);
  const { corridor, number, participant, totals } = net;
  const unpaid = { corridor, number, attempt: 1, participant, totals, payments };
  world.run([say.windowDefault(world.keys(), unpaid)], { atMs: world.nowMs() + 86_400_000 });
  deposit(world, "B-2", "700.00");
  world.run([say.handedIn(say.statementParts(world.keys(), { ...inParts }, 2))]);
  world.run([say.adjustment(world.keys())]);
  world.run([say.adjustment(world.keys(), { key: "break-2", side: "debit", amount: "1.00" })]);
  world.run([
    say.adjustment(world.keys(), { key: "break-3", break: "fx-residue", amount: "0.01" }),
  ]);
  return world;
};

const folder = mkdtempSync(join(tmpdir(), "sealane-settlement-"));
const verifiers: Verifier[] = [];
beforeAll(() => {
  mkdirSync(join(folder, "go"));
  for (const tool of [buildGoVerifier(join(folder, "go")), findPythonVerifier()]) {
    if ("found" in tool) verifiers.push(tool.found);
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const verdicts = async (name: string, world: World, entries: readonly string[]) => {
  const place = join(folder, name);
  writeFolder(place, publishedFiles(publish(world, { entries })));
  const all: boolean[] = [];
  for (const verifier of verifiers) {
    const [verdict] = await verifier.logs([place], { policy: policyText });
    all.push(verdict?.ok === true);
  }
  return all;
};

const none = (): boolean[] => verifiers.map(() => false);

describe("a log with settlements", () => {
  const world = makeLog();
  const pieces = world.entries.map(takeApart);
  const kindAt = (kind: string): number =>
    pieces.findIndex(({ inner }) => inner.includes(`/${kind}/v1\n`));

  test("stands before all verifiers", async () => {
    expect(audit(world, world.entries)).toBe(world.entries.length);
    expect(await verdicts("whole", world, world.entries)).toEqual(verifiers.map(() => true));
  });

  test.each(["bilateral", "gross", "multilateral"] as const)(
    "with windows netted %s stands before all verifiers, returns and all",
    async (netting) => {
      const other = makeSettlingWorld({ corridor: { netting } });
      other.run([
        say.advance(other.keys(), {
          key: "ph",
          participant: ph,
          currency: "PHP",
          amount: "9000.00",
        }),
        say.advance(other.keys(), {
          key: "fx",
          participant: fx,
          currency: "HKD",
          amount: "9000.00",
        }),
      ]);
      const a = other.transfer({ key: "a" });
      settle(other, bankLinesOf(netsOf(cut(other))));
      other.run([
        other.giveBack(a, { key: "1", amount: "1234.56", bearer: "payee", reason: "AC04" }),
      ]);
      other.transfer({ key: "b" });
      cut(other, 1);
      cut(other, 2); // of nothing
      expect(audit(other, other.entries)).toBe(other.entries.length);
      const all = await verdicts(`netted-${netting}`, other, other.entries);
      expect(all).toEqual(verifiers.map(() => true));
    },
  );

  test("with a window of more legs than an entry takes stands, and not without a part of a net", async () => {
    const ring = makeRing(52, "gross");
    const nets = joinNetParts(netsOf(cut(ring)));
    const window = { corridor: "hkd-php", number: 0, attempt: 0 };
    const statement = { window, lines: bankLinesOf(nets) };
    ring.run([say.handedIn(say.statementParts(ring.keys(), statement, 100))]);
    expect(audit(ring, ring.entries)).toBe(ring.entries.length);
    expect(await verdicts("ring", ring, ring.entries)).toEqual(verifiers.map(() => true));
    const parts = ring.entries.map(takeApart);
    const second = parts.findIndex(({ inner }) => inner.includes('"part":{"number":2,"of":2}'));
    const torn = putTogether(parts.filter((_, at) => at !== second));
    expect(await verdicts("ring-torn", ring, torn)).toEqual(none());
  });

  test("without a corridor stands, all against all", async () => {
    const other = makeFundedWorld();
    other.transfer({ key: "a" });
    other.run([say.windowCut(other.keys(), { corridor: "default", number: 0 })]);
    expect(other.entries.some((entry) => entry.includes("/window-net/v1\n"))).toBe(true);
    expect(await verdicts("default", other, other.entries)).toEqual(verifiers.map(() => true));
  });

  test.each(["settlement", "liquidity", "window-default", "window-net", "adjustment"])(
    "with other postings of a %s is refused",
    async (kind) => {
      const at = kindAt(kind);
      const posting = { debit: `${hk}:cash`, credit: `${hk}:liquidity` };
      const forged = pieces.map((piece, place) => {
        const { context, inner } = piece;
        const postings = [...context.postings, { ...posting, currency: "HKD", amount: "1.00" }];
        return place === at ? { context: { ...context, postings }, inner } : piece;
      });
      expect(await verdicts(`postings-${kind}`, world, putTogether(forged))).toEqual(none());
    },
  );

  /** The inner notes of a kind, said otherwise by whoever signs them. */
  const saidOtherwise = (kind: string, edit: (body: string) => string): string[] =>
    putTogether(
      pieces.map(({ context, inner }) => {
        if (!inner.includes(`/${kind}/v1\n`)) return { context, inner };
        const [header = "", body = ""] = inner.split("\n");
        const text = `${header}\n${edit(body)}\n`;
        const signer = kind === "window-cut" ? testKeys.alice : testKeys.entry;
        return { context, inner: `${text}\n${lineOf(signer, text)}\n` };
      }),
    );

  const netAt = kindAt("window-net");
  const otherWindows: readonly (readonly [string, string[]])[] = [
    ["other amounts", saidOtherwise("window-net", (body) => body.replaceAll("1000.00", "999.00"))],
    ["another deadline", saidOtherwise("window-net", (body) => body.replace(/T\d\d/, "T00"))],
    [
      "another interval",
      saidOtherwise("window-net", (body) => body.replace('"from":', '"from":1')),
    ],
    ["another side", saidOtherwise("window-net", (body) => body.replace('"pay"', '"receive"'))],
    [
      "another reference",
      saidOtherwise("window-net", (body) => body.replace(/-4\w{3}-/, "-4abc-")),
    ],
    ["a cut of another number", saidOtherwise("window-cut", (body) => body.replace(":0", ":5"))],
    [
      "a settlement of other totals",
      saidOtherwise("settlement", (body) => body.replace("2.00", "3.00")),
    ],
    ["a net left out", putTogether(pieces.filter((_, at) => at !== netAt))],
    ["a net twice", putTogether(pieces.flatMap((one, at) => (at === netAt ? [one, one] : [one])))],
    [
      "two nets the other way round",
      putTogether(
        pieces.map(
          (one, at) => pieces[at === netAt ? at + 1 : at === netAt + 1 ? at - 1 : at] ?? one,
        ),
      ),
    ],
    [
      "a transfer of the window left out",
      putTogether(pieces.filter((_, at) => at !== kindAt("transfer"))),
    ],
  ];
  test.each(otherWindows)("with %s is refused, as ours refuses it", async (name, entries) => {
    expect(entries).not.toEqual(world.entries);
    expect(audit(world, entries)).not.toBe(entries.length);
    expect(await verdicts(`window-${name.replaceAll(" ", "-")}`, world, entries)).toEqual(none());
  });

  test("with a bank's statement that lacks a part, or is torn apart, is refused", async () => {
    const parts = pieces.flatMap(({ inner }, at) => (inner.includes('"part":') ? [at] : []));
    const [first = 0, second = 0, last = 0] = parts;
    expect(parts).toEqual([first, first + 1, first + 2]);
    const without = pieces.filter((_, at) => at !== second);
    expect(await verdicts("part-left-out", world, putTogether(without))).toEqual(none());
    // From the last part on, with all that follows from it: the statement never ends.
    const derived = pieces.findIndex(
      ({ inner }, at) => at > last && inner.includes("/adjustment/"),
    );
    const unended = pieces.filter((_, at) => at < last || at >= derived);
    expect(await verdicts("parts-unended", world, putTogether(unended))).toEqual(none());
  });

  /** The first statement of a kind said otherwise, by whoever has to sign it. */
  const oneOtherwise = (kind: string, from: RegExp, to: string, fields: object = {}): string[] =>
    putTogether(
      pieces.map(({ context, inner }, place) => {
        if (place !== kindAt(kind)) return { context, inner };
        const text = parseNote(inner).text.replace(from, to);
        const keys = [testKeys.alice, testKeys.bob];
        return { context: { ...context, ...fields }, inner: signed(text, keys) };
      }),
    );
  const defaulted = pieces[kindAt("window-default")];
  const moved = defaulted?.context.postings.map((one) => ({ ...one, amount: "1.00" })) ?? [];
  const operatorNet = pieces.findIndex(({ inner }) =>
    inner.includes(`"participant":"${operator}"`),
  );
  test.each([
    [
      "a default that pays something else than is owed",
      oneOtherwise("window-default", /"(cover|shortfall)":"(?!0\.00)[^"]+"/, '"$1":"1.00"', {
        postings: moved,
      }),
    ],
    ["a default of another attempt", oneOtherwise("window-default", /"attempt":1/, '"attempt":0')],
    [
      "a default before its day",
      oneOtherwise("window-default", /x^/, "", {
        time: pieces[kindAt("settlement-abort")]?.context.time,
      }),
    ],
    ["an abort of another attempt", oneOtherwise("settlement-abort", /"attempt":0/, '"attempt":1')],
    [
      "an abort of a window that was settled",
      oneOtherwise("settlement-abort", /"number":1/, '"number":0'),
    ],
    [
      "a net of the operator in a chain of its own",
      putTogether(
        pieces.map((piece, place) =>
          place === operatorNet
            ? {
                ...piece,
                context: { ...piece.context, chains: [{ participant: operator, n: 0, prev: "" }] },
              }
            : piece,
        ),
      ),
    ],
  ])("with %s is refused, as ours refuses it", async (name, entries) => {
    expect(audit(world, entries)).not.toBe(entries.length);
    expect(await verdicts(`otherwise-${name.replaceAll(" ", "-")}`, world, entries)).toEqual(
      none(),
    );
  });

  test.each([
    "settlement",
    "bank-statement",
    "window-default",
    "window-cut",
    "window-net",
    "adjustment",
  ])("with a %s that nobody who may has signed is refused", async (kind) => {
    const at = kindAt(kind);
    const forged = pieces.map((piece, place) => {
      if (place !== at) return piece;
      const text = piece.inner.slice(0, piece.inner.lastIndexOf("\n\n") + 1);
      const line = lineOf(testKeys.stranger, text);
      return { context: piece.context, inner: `${text}\n${line}\n` };
    });
    expect(await verdicts(`unsigned-${kind}`, world, putTogether(forged))).toEqual(none());
  });
});
