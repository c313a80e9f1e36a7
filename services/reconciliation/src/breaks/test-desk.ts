// For tests: reconciliation over a schema of its own, with short tolerances, and statements made from a
// corpus' lines.
import { formatTime, type ProviderStatement } from "@sealane/protocol";
import { amountOf, type KeyState, type SeenLine, type Tolerance } from "@sealane/rules";
import type { Bookkeeper } from "../bookkeeper.ts";
import type { openTestSchema } from "../test-books.ts";
import { makeSettlementReader } from "../settlement-reader.ts";
import { makeAdjustmentDesk } from "./adjustment-desk.ts";
import { makeBreakDesk } from "./break-desk.ts";
import { makeBreakReader } from "./break-reader.ts";
import { makeOneAtATime } from "./one-at-a-time.ts";
import { makeStatementDesk } from "./statement-desk.ts";

export const shortTolerance: Tolerance = { bookWithinMs: 300, decideWithinMs: 400 };

type Schema = Awaited<ReturnType<typeof openTestSchema>>;
type TestWorld = { readonly origin: string; keys(): KeyState };

export const openTestDesk = (
  { database, sql }: Schema,
  world: TestWorld,
  keeper: Pick<Bookkeeper, "state">,
  clock: () => number,
  kept?: () => Promise<void>,
) => {
  const one = makeOneAtATime(database, 0, clock, kept);
  const statements = makeStatementDesk({
    one,
    origin: world.origin,
    keys: () => world.keys(),
    books: keeper.state,
    tolerance: shortTolerance,
    earlier: makeSettlementReader(sql, 0, world.origin).statementsOf,
  });
  const sent: string[] = [];
  const adjustments = makeAdjustmentDesk({
    lane: 0,
    origin: world.origin,
    books: keeper.state,
    keys: () => world.keys(),
    send: (_topic, value) => {
      sent.push(value);
      return Promise.resolve();
    },
  });
  const desk = makeBreakDesk(one, adjustments);
  return { one, statements, desk, sent, reader: makeBreakReader(sql, 0) };
};

/** A period's statement with these lines. */
export const statementOf = (
  participant: string,
  reference: string,
  [fromMs, toMs]: readonly [number, number],
  lines: readonly (SeenLine & { readonly transfer: string })[],
): ProviderStatement => ({
  participant,
  reference,
  from: formatTime(fromMs),
  to: formatTime(toMs),
  lines: lines.map((line) => ({
    reference: line.reference,
    transfer: line.transfer,
    side: line.side,
    currency: line.currency,
    amount: amountOf(line.minor, line.currency),
    ...(line.feeMinor === undefined ? {} : { fee: amountOf(line.feeMinor, line.currency) }),
    status: line.status,
    bookedAt: formatTime(line.bookedAtMs),
  })),
});
