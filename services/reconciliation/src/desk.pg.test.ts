// The operators' desk: who may hand in what, the same key the same answer, why a note cannot stand, and a
// trail of who did what that nobody can change.
import { cut, makeSettlingWorld, policy, say, type World } from "@sealane/rules/testing";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { makeDesk, type Role } from "./desk.ts";
import { openTestSchema, publish, startBooks } from "./test-books.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

const openDesk = async (world: World) => {
  const { keeper } = startBooks(schema.sql, world, { policy });
  await keeper.take(publish(world));
  const sent: string[] = [];
  const desk = makeDesk({
    sql: schema.sql,
    lane: 0,
    origin: world.origin,
    books: keeper.state,
    keys: () => world.keys(),
    send: (_topic, value) => {
      sent.push(value);
      return Promise.resolve();
    },
    clock: () => world.nowMs(),
  });
  const handIn = (note: string, role: Role = "operator", idempotencyKey = note.slice(-40)) =>
    desk.handIn({ principal: `${role}/someone`, role, idempotencyKey, note });
  return { desk, sent, handIn };
};

const makeWorld = (): World => {
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  return world;
};

describe("the desk", () => {
  it("hands a cut to the lane; one that was made before is no harm, and not sent", async () => {
    const world = makeWorld();
    const { sent, handIn } = await openDesk(world);
    const { note } = say.windowCut(world.keys(), { number: 0 });
    expect(await handIn(note)).toMatchObject({ status: 202, body: { subject: "hkd-php/0" } });
    expect(sent.map((one) => JSON.parse(one) as unknown)).toMatchObject([
      { v: 1, kind: "window-cut", note },
    ]);
    cut(world);
    const later = await openDesk(world);
    const again = await later.handIn(note, "operator", "another-key");
    expect([again.status, again.body["already"], later.sent]).toEqual([200, true, []]);
  });

  it("gives the same answer under the same key, and none to another note", async () => {
    const world = makeWorld();
    const { sent, handIn } = await openDesk(world);
    const first = say.windowCut(world.keys(), { number: 0 }).note;
    const other = say.windowCut(world.keys(), { number: 9 }).note;
    const answers = [await handIn(first, "operator", "k"), await handIn(first, "operator", "k")];
    expect(answers[1]).toEqual(answers[0]);
    expect(sent).toHaveLength(1);
    expect(await handIn(other, "operator", "k")).toMatchObject({ body: { code: "key-reused" } });
  });

  it.each([
    ["operator", 403],
    ["auditor", 403],
    ["approver", 202],
  ] as const)("takes an advance from an approver alone: %s gets %i", async (role, status) => {
    const world = makeWorld();
    const { handIn } = await openDesk(world);
    const { note } = say.advance(world.keys(), { key: "more" });
    expect((await handIn(note, role)).status).toBe(status);
  });

  it("says why a note cannot stand, and keeps who has tried", async () => {
    const world = makeWorld();
    const { desk, sent, handIn } = await openDesk(world);
    const keys = world.keys();
    const ahead = await handIn(say.windowCut(keys, { number: 7 }).note);
    expect(ahead).toMatchObject({ status: 422, body: { code: "window-unknown" } });
    const forged = say.windowCut(keys, { number: 0 }, { forged: true });
    expect(await handIn(forged.note)).toMatchObject({ body: { code: "signature-missing" } });
    const elsewhere = say.windowCut(keys, { number: 0 }, { origin: "sealane.example/2026/1" });
    expect(await handIn(elsewhere.note)).toMatchObject({ body: { code: "wrong-log" } });
    expect((await handIn("rubbish")).status).toBe(400);
    expect(sent).toEqual([]);
    const trail = await desk.trail(undefined, 10);
    expect(trail.map(({ principal, status }) => [principal, status])).toEqual(
      Array.from({ length: 3 }, () => ["operator/someone", 422]),
    );
    // All of one millisecond: page by page they are the same ones.
    expect(new Set(trail.map(({ at_ms }) => at_ms)).size).toBe(1);
    const paged: typeof trail = [];
    for (;;) {
      const last = paged.at(-1);
      const after = last && ([Number(last.at_ms), last.principal, last.idempotency_key] as const);
      const page = await desk.trail(after, 1);
      if (page.length === 0) break;
      paged.push(...page);
    }
    expect(paged).toEqual(trail);
    const change = schema.sql.query({ text: "update action set status = 202" });
    await expect(change).rejects.toThrow();
  });
});
