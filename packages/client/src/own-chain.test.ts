// What a payee's provider signs when somebody else hosts its adapter: its yes or no to the very terms,
// and how far it has credited, for a chain that it has followed itself.
import { statementText } from "@sealane/protocol";
import { hk, makeFundedWorld, origin, ph, testKeys, type World } from "@sealane/rules/testing";
import { composeNote, sha256, signNoteLine, toBase64, utf8, verifierFor } from "@sealane/tlog";
import { describe, expect, test } from "vitest";
import { signCheck, type HostedCheck, type PayeeParty } from "./hosted-payee.ts";
import { checkOwnStatement, noChain, takeEntries, type CreditOutcome } from "./own-chain.ts";

const account = "+639170000001";
const opening = new Uint8Array([...sha256("a salt"), ...utf8(account)]);

/** A proposal to PH in a world of its own. */
const propose = () => {
  const world = makeFundedWorld();
  const intent = world.intent({ payee: { participant: ph, account: toBase64(sha256(opening)) } });
  world.run([intent]);
  const terms = world.openNote(intent.body.id) ?? "";
  const { currency, amount } = intent.body.receive;
  const check: HostedCheck = {
    transferId: intent.body.id,
    account,
    currency,
    amount,
    terms,
    openings: { payee: toBase64(opening) },
  };
  const { name, seed, key } = testKeys.ph;
  const party: PayeeParty = {
    participant: ph,
    origin,
    signer: { name, signLine: (text) => Promise.resolve(signNoteLine(name, seed, text)) },
    keys: () => world.keys(),
    clock: world.nowMs,
  };
  return { world, intent, check, party, key };
};

describe("a credit check of a hosted adapter", () => {
  test("is answered with the provider's line over the terms, or with its rejection", async () => {
    const { check, party, intent, key } = propose();
    const yes = await signCheck(party, check, { answer: "yes" });
    const line = yes.ok && yes.signed.answer === "yes" ? yes.signed.line : "";
    const bytes = Buffer.from(line.split(" ")[2] ?? "", "base64").subarray(4);
    expect(verifierFor(key).verify(intent.text, bytes)).toBe(true);
    const no = await signCheck(party, check, { answer: "no", reason: "AC04" });
    const note = no.ok && no.signed.answer === "no" ? no.signed.note : "";
    expect(note.startsWith(`${origin}/rejection/v1\n`)).toBe(true);
    expect(note).toContain(check.terms);
    expect(note).toContain('"reason":"AC04"');
  });

  const changed: [string, string, (check: HostedCheck) => HostedCheck][] = [
    ["another amount", "amount-mismatch", (check) => ({ ...check, amount: "1.00" })],
    ["another currency", "amount-mismatch", (check) => ({ ...check, currency: "HKD" })],
    ["another account", "account-mismatch", (check) => ({ ...check, account: "+639170000002" })],
    [
      "a reference that is not there",
      "reference-mismatch",
      (check) => ({ ...check, reference: "x" }),
    ],
    ["another transfer", "id-mismatch", (check) => ({ ...check, transferId: "t" })],
    ["no terms", "statement-malformed", (check) => ({ ...check, terms: "rubbish" })],
    [
      "terms that the payer has not signed",
      "signature-wrong",
      (check) => {
        const text = check.terms.slice(0, check.terms.lastIndexOf("\n\n") + 1);
        const { name, seed } = testKeys.stranger;
        return { ...check, terms: composeNote(text, [signNoteLine(name, seed, text)]) };
      },
    ],
  ];
  test.each(changed)("about %s is not signed", async (_name, code, change) => {
    const { check, party } = propose();
    expect(await signCheck(party, change(check), { answer: "yes" })).toMatchObject({ code });
    expect(await signCheck(party, change(check), { answer: "no", reason: "AC04" })).toMatchObject({
      code,
    });
  });

  test("is not signed for another payee, another log, or after its time", async () => {
    const { check, party } = propose();
    const as = (changes: Partial<PayeeParty>) =>
      signCheck({ ...party, ...changes }, check, { answer: "yes" });
    expect(await as({ participant: hk })).toMatchObject({ code: "payee-mismatch" });
    expect(await as({ origin: "sealane.example/2026/1" })).toMatchObject({ code: "wrong-log" });
    expect(await as({ clock: () => Number.MAX_SAFE_INTEGER })).toMatchObject({
      code: "expiry-mismatch",
    });
  });
});

/** PH's own entries, in order. */
const chainOf = (world: World): string[] =>
  world.entries.filter((entry) => entry.includes(`"participant":"${ph}","n":`));

const credited: CreditOutcome = { status: "credited" };

describe("a credited statement of a hosted adapter", () => {
  const begin = () => {
    const world = makeFundedWorld();
    const ids = [1, 2, 3].map((n) => world.transfer({ key: `t${n}` }));
    const own = takeEntries(noChain, { from: 0, entries: chainOf(world) }, origin, ph);
    if (!own.ok) throw new Error(own.detail);
    const say = (body: object) =>
      statementText(origin, "credited", {
        participant: ph,
        upTo: own.own.next - 1,
        head: own.own.head,
        except: [],
        ...body,
      });
    const judge = (body: object, outcomeOf: (id: string) => CreditOutcome = () => credited) =>
      checkOwnStatement(own.own, say(body), { origin, participant: ph, outcomeOf })?.code;
    return { world, ids, own: own.own, judge };
  };

  test("is signed when the core has credited all that the chain says it owes", () => {
    const { own, ids, judge } = begin();
    expect(own.uncovered.map(({ id }) => id)).toEqual(ids);
    expect(judge({})).toBeUndefined();
  });

  test("is not signed while a credit is owed, nor for another history", () => {
    const { ids, own, judge } = begin();
    expect(judge({}, (id) => (id === ids[1] ? undefined : credited))).toBe("credit-unknown");
    expect(judge({ upTo: own.next })).toBe("statement-malformed");
    expect(judge({ head: toBase64(sha256("another")) })).toBe("statement-malformed");
    expect(judge({ participant: hk })).toBe("statement-malformed");
  });

  test("may be about less than was shown, and asks about no more than that", () => {
    const { own, ids, judge } = begin();
    const [first, second] = own.recent;
    const owesLater = (id: string): CreditOutcome => (id === ids[0] ? credited : undefined);
    expect(judge({ upTo: first?.n, head: first?.head }, owesLater)).toBeUndefined();
    expect(judge({ upTo: second?.n, head: second?.head }, owesLater)).toBe("credit-unknown");
    expect(judge({ upTo: first?.n, head: second?.head })).toBe("statement-malformed");
  });

  test("and one that these are all its entries, stand on the same chain", () => {
    const { own } = begin();
    const judge = { origin, participant: ph, outcomeOf: () => undefined };
    const last = own.recent.at(-1);
    const body = { participant: ph, from: 0, to: last?.n, head: last?.head, size: last?.size };
    const check = (changes: object, kind = "statement") =>
      checkOwnStatement(own, statementText(origin, kind, { ...body, ...changes }), judge)?.code;
    expect(check({})).toBeUndefined();
    expect(check({ size: (last?.size ?? 0) + 1 })).toBe("statement-malformed");
    expect(check({ to: own.next })).toBe("statement-malformed");
    expect(check({ participant: hk })).toBe("statement-malformed");
    expect(check({}, "advance")).toBe("statement-malformed");
  });

  test("names exactly what the core has refused to credit", () => {
    const { ids, own, judge } = begin();
    const [first, second] = own.uncovered;
    const refused = (id: string): CreditOutcome =>
      id === ids[0] ? { status: "refused", reason: "AC06" } : credited;
    const except = (one: object | undefined, reason = "AC06") => ({ except: [{ ...one, reason }] });
    expect(judge(except(first), refused)).toBeUndefined();
    expect(judge({}, refused)).toBe("reason-mismatch");
    expect(judge(except(first, "AC04"), refused)).toBe("reason-mismatch");
    expect(judge(except(second))).toBe("reason-mismatch");
    const more = {
      except: [
        { ...first, reason: "AC06" },
        { id: own.head, n: 0, reason: "AC06" },
      ],
    };
    expect(judge(more, refused)).toBe("statement-malformed");
  });

  test("covers once: what is on the log already is not asked about again", () => {
    const { world, own } = begin();
    const seen = chainOf(world).length;
    world.run([world.credit(ph, own.next - 1)]);
    world.transfer({ key: "t4" });
    const shown = { from: seen, entries: chainOf(world).slice(seen) };
    const next = takeEntries(own, shown, origin, ph);
    expect(next.ok && next.own.uncovered).toHaveLength(1);
  });

  test("rests on a chain without a gap, a change or an entry of another log", () => {
    const { world } = begin();
    const entries = chainOf(world);
    const take = (some: readonly string[], log = origin) =>
      takeEntries(noChain, { from: 0, entries: some }, log, ph);
    expect(take([...entries.slice(0, 1), ...entries.slice(2)])).toMatchObject({
      code: "statement-malformed",
    });
    expect(take(entries.map((entry) => entry.replace('"rules":1', '"rules":2')))).toMatchObject({
      code: "statement-malformed",
    });
    expect(take(entries, "sealane.example/2026/1")).toMatchObject({ code: "wrong-log" });
    expect(take(["rubbish"])).toMatchObject({ code: "statement-malformed" });
    const later = takeEntries(noChain, { from: 1, entries: entries.slice(1) }, origin, ph);
    expect(later).toEqual({ ok: true, own: noChain });
  });
});
