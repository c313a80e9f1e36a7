// What a signed refusal does to a transfer: one that binds ends it; one that sheds (too few witnesses, a clock
// that is off) is never told as an end, because a copy of the intent may still be committed.
import { isoReasonOf, statementText, type Refusal, type RefusalCode } from "@sealane/protocol";
import { composeNote, parseVerifierKey, signNoteLine } from "@sealane/tlog";
import { formatVerifierKey, publicKeyOf, sha256, toBase64 } from "@sealane/tlog";
import { beforeEach, describe, expect, it } from "vitest";
import { makeRefusalTaker } from "./inbox-refusals.ts";
import { takenAnswer } from "./transfer-answer.ts";
import { makeTransferBook } from "./transfer-book.ts";
import { makeViewMover } from "./view-mover.ts";
import type { ViewStore } from "./view-store.ts";
import { publicView, type TransferView } from "./views.ts";

const participant = "hk-wallet.example";
const origin = "sealane.example/2026/0";
const id = "0e3c3f0e-7d4b-4b6e-8a55-2c8f2a4f9b10";
const request = toBase64(sha256("a request"));
const entryKey = { name: "sealane.example/entry-1", seed: sha256("entry key") };
const vkey = formatVerifierKey(entryKey.name, 1, publicKeyOf(entryKey.seed));

const nowhere: ViewStore["find"] = () => Promise.resolve(undefined);
const setUp = () => {
  const book = makeTransferBook({ find: nowhere } as ViewStore);
  const persister = { view: () => undefined };
  const deps = { book, persister, onStep: () => undefined, onMoved: () => undefined };
  const mover = makeViewMover(deps as unknown as Parameters<typeof makeViewMover>[0]);
  const keys = { state: () => ({ ledger: { entry: parseVerifierKey(vkey) } }) };
  const letGo: string[] = [];
  const take = makeRefusalTaker({
    participant,
    origin,
    keys: keys as unknown as Parameters<typeof makeRefusalTaker>[0]["keys"],
    book,
    persister,
    clock: () => 1_000,
    onTurnedAway: ({ id: turnedAway }) => void letGo.push(turnedAway),
    mover,
  });
  const view: TransferView = {
    id,
    role: "payer",
    status: "received",
    request,
    steps: { accepted: 900 },
    notice: 0,
    notified: 0,
  };
  book.put(view);
  return { book, take, view, mover, letGo };
};

const refusal = (code: RefusalCode, final: boolean): string => {
  const body: Refusal = {
    id,
    request,
    participant,
    code,
    reason: isoReasonOf(code),
    detail: "why",
    time: "2026-11-22T07:00:00.000Z",
    final,
  };
  const text = statementText(origin, "refusal", body);
  return composeNote(text, [signNoteLine(entryKey.name, entryKey.seed, text)]);
};

describe("a signed refusal", () => {
  let world: ReturnType<typeof setUp>;
  beforeEach(() => {
    world = setUp();
  });

  it("that binds the id is the transfer's end", async () => {
    await world.take(refusal("insufficient-funds", true), undefined);
    expect(publicView(world.view)).toMatchObject({
      status: "rejected",
      final: true,
      code: "insufficient-funds",
      reason: "AM04",
    });
  });

  it.each(["lane-unsealed", "lane-clock"] as const)(
    "that sheds (%s) is no end: 503, and the next request is sent again",
    async (code) => {
      const waiting = takenAnswer(
        { book: world.book, clock: () => 1_000 },
        { ok: true, view: world.view, replayed: false },
        60_000,
      );
      await world.take(refusal(code, false), undefined);
      const answer = await waiting;
      expect(answer).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
      expect(publicView(world.view)).toMatchObject({ status: "received", final: false, code });
      // Who waits for the ledger no longer keeps others out.
      expect(world.letGo).toEqual([id]);
      // As if it had never been acknowledged: `Intake.replay` sends it again.
      expect(world.view.steps.accepted).toBeUndefined();
    },
  );

  it("that sheds one copy leaves the other as it was decided", async () => {
    const kept = world.book.get(id);
    if (kept === undefined) throw new Error("it is in the book");
    await world.take(refusal("lane-unsealed", false), undefined);
    world.mover.move(kept, "reserved", 1_100);
    expect(publicView(world.view)).toMatchObject({ status: "reserved", code: undefined });
    world.mover.move(kept, "committed", 1_200);
    await world.take(refusal("lane-unsealed", false), undefined);
    expect(publicView(world.view)).toMatchObject({ status: "committed", code: undefined });
  });
});
