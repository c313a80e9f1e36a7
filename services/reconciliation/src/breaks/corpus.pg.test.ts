// The corpus of seeded faults through the store: the log and each provider's statements arrive in pieces,
// in an order drawn from a seed, either side lagging at times. At every step nothing is said that is not so;
// at the end every fault has its break and there is no other.
import { logTransferOf, verifyEntry, type LogTransfer } from "@sealane/rules";
import {
  fx,
  genesisMs,
  hk,
  makeCorpus,
  makeSettlingWorld,
  numbersFrom,
  ph,
  policy,
  type Corpus,
  type World,
} from "@sealane/rules/testing";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { openTestSchema, publish, startBooks } from "../test-books.ts";
import { openTestDesk, shortTolerance, statementOf } from "./test-desk.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

const participants = [hk, ph, fx];
const dayMs = 86_400_000;

/** Transfers that end in every way, then nothing until all tolerances have passed. */
const makeLog = (seed: number, count: number): World => {
  const draw = numbersFrom(seed);
  const world = makeSettlingWorld();
  for (let n = 0; n < count; n += 1) {
    const fixed = draw(2) === 0 ? "send" : "receive";
    const options = {
      key: `${seed}-${n}`,
      fixed,
      amount: `${10 + draw(90)}.${10 + draw(89)}`,
    } as const;
    if (draw(5) > 0) world.transfer(options);
    else {
      const made = world.intent(options);
      world.run([made]);
      world.run([world.reject(made.body.id)]);
    }
  }
  world.publishSheet({}, world.nowMs() + 2_000);
  return world;
};

const endsOf = (world: World): LogTransfer[] =>
  world.entries.flatMap((text) => {
    const history = world.keyLog.history();
    const read = verifyEntry(text, { origin: world.origin, history, signatures: false });
    const end = read.ok ? logTransferOf(read.entry) : undefined;
    return end === undefined ? [] : [end];
  });

const live = async (): Promise<string[]> => {
  const { rows } = await schema.sql.query<{ key: string }>({
    text: `select participant || ' ' || matter || ' ' || kind as key from break_case
      where state <> 'cleared'`,
  });
  return rows.map(({ key }) => key).toSorted();
};

/** Each provider's statements, period by period up to the end. */
const periodsOf = (corpus: Corpus, world: World, draw: (below: number) => number) =>
  participants.map((participant) => {
    const own = corpus.lines.filter((line) => line.participant === participant);
    const cuts = [genesisMs];
    const untilMs = world.nowMs();
    while ((cuts.at(-1) ?? 0) < untilMs) cuts.push((cuts.at(-1) ?? 0) + 200 + draw(600));
    cuts.push(genesisMs + dayMs / 2);
    return cuts.slice(1).map((toMs, at) => {
      const fromMs = cuts[at] ?? 0;
      const lines = own.filter(({ bookedAtMs: ms }) => ms >= fromMs && ms < toMs);
      return statementOf(participant, `DAY-${at}`, [fromMs, toMs], lines);
    });
  });

it.each([1, 2, 3])("is classified whatever comes first: seed %i", async (seed) => {
  const world = makeLog(seed, 36);
  const transfers = endsOf(world);
  const corpus = makeCorpus({
    seed,
    transfers,
    participants,
    ghosts: 4,
    tolerance: shortTolerance,
  });
  const draw = numbersFrom(seed * 7);
  const { keeper } = startBooks(schema.sql, world, { policy });
  const clock = (): number => genesisMs + dayMs;
  const { statements } = openTestDesk(schema, world, keeper, clock);
  const records = publish(world);
  const periods = periodsOf(corpus, world, draw);
  let steps = 0;
  while (records.length > 0 || periods.some((own) => own.length > 0)) {
    const which = draw(participants.length + 1);
    const own = periods[which];
    if (own === undefined) {
      const some = records.splice(0, 1 + draw(12));
      if (some.length === 0) continue;
      await keeper.take(some);
      await statements.follow();
    } else {
      const statement = own.shift();
      if (statement === undefined) continue;
      const idempotencyKey = `${seed} ${steps}`;
      const answer = await statements.take({ principal: "operator/a", idempotencyKey, statement });
      expect(answer).toMatchObject({ status: 201 });
    }
    steps += 1;
    for (const one of await live()) {
      const [participant = "", id = "", kind = ""] = one.split(" ");
      const late = kind === "missing-at-wallet" ? [`${participant} ${id} late`] : [];
      const so = [one, ...late].some((key) => corpus.expected.includes(key));
      expect([so, one]).toEqual([true, one]);
    }
  }
  expect(await live()).toEqual(corpus.expected);
  // The same once more, as after the books were dropped and built again: nothing else comes of it.
  await schema.admin.query({ text: "update reconcile_cursor set next_seq = 0" });
  await schema.admin.query({ text: "update provider_side set judged_seq = 0" });
  await statements.follow();
  expect(await live()).toEqual(corpus.expected);
  const waiting = await schema.sql.query({ text: "select * from reconcile_wait" });
  expect(waiting.rows).toEqual([]);
});
