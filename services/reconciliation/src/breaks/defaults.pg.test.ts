// A debtor that does not pay: a break for its shortfall, until it has paid it back.
import { defaultPayments } from "@sealane/rules";
import {
  accountOf,
  bankLinesOf,
  cut,
  hk,
  makeSettlingWorld,
  netsOf,
  policy,
  say,
  settle,
  testKeys,
  type World,
} from "@sealane/rules/testing";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { openTestSchema, publish, startBooks } from "../test-books.ts";
import { openTestDesk } from "./test-desk.ts";

let schema: Awaited<ReturnType<typeof openTestSchema>>;
beforeEach(async () => {
  schema = await openTestSchema(inject("databaseUrl"));
});
afterEach(() => schema.close());

/** The window was cut; a day later its debtor is in default. */
const notPaid = (world: World, number: number): void => {
  const net = netsOf(cut(world, number)).find(({ participant }) => participant === hk);
  if (net === undefined) throw new Error("no net");
  const suspended = { participant: hk, suspended: true, reason: `unpaid-${number}` };
  world.keyLog.log("suspension", suspended, [testKeys.alice], world.nowMs());
  const { settlement, balances } = world.state;
  const payments = defaultPayments(settlement, balances, net);
  const { corridor, participant, totals } = net;
  const body = { corridor, number, attempt: 0, participant, totals, payments };
  world.run([say.windowDefault(world.keys(), body)], { atMs: world.nowMs() + 86_400_000 });
};

/** What the bank says of the window: all has been paid, whatever we think of it. */
const allBooked = (world: World, number: number): void => {
  const window = { corridor: "hkd-php", number, attempt: 0 };
  const net = world.state.settlement.closed.get(`hkd-php/${number}`);
  if (net === undefined) throw new Error("no window");
  const lines = bankLinesOf([...net.nets.values()] as never);
  settle(world, lines, { window, reference: "LATE-1" });
};

const deposit = (world: World, reference: string, amount: string): void => {
  const account = accountOf(hk, "HKD");
  const line = { account, currency: "HKD", side: "credit", amount, status: "booked" } as const;
  const body = { reference: `D-${reference}`, lines: [{ ...line, reference }] };
  world.run([say.bankStatement(world.keys(), body)]);
};

it("is a break until the shortfall is paid back, the oldest first", async () => {
  const world = makeSettlingWorld();
  world.transfer({ key: "a" });
  notPaid(world, 0);
  const { keeper } = startBooks(schema.sql, world, { policy });
  const { statements } = openTestDesk(schema, world, keeper, world.nowMs);
  let told = 0;
  const found = async () => {
    const records = publish(world);
    await keeper.take(records.slice(told));
    told = records.length;
    await statements.follow();
    const { rows } = await schema.sql.query({
      text: "select kind, matter, state, expected, found from break_case order by number",
    });
    return rows;
  };
  const first = { kind: "default", matter: "default hkd-php/0", expected: "1000.00" };
  expect(await found()).toEqual([{ ...first, state: "open", found: "0.00" }]);
  allBooked(world, 0);
  const late = { kind: "unmatched-bank-line", matter: "default hkd-php/0", found: "1000.00" };
  expect(await found()).toMatchObject([first, { ...late, state: "open" }]);
  deposit(world, "B-1", "400.00");
  expect((await found())[0]).toEqual({ ...first, state: "open", found: "400.00" });
  deposit(world, "B-2", "600.00");
  // What was paid twice is still somebody's to give back.
  expect(await found()).toMatchObject([{ state: "cleared" }, { ...late, state: "open" }]);
});
