// The demo's first liquidity: advances that two operators sign, sent to the lane like any command. Each
// has an id of its own, so that sending them at every start posts them once.
import { laneTopic, statementText, transferIdOf, type Advance } from "@sealane/protocol";
import { readKeyFile } from "@sealane/signer";
import { composeNote, signNoteLine } from "@sealane/tlog";
import { formatAmount, parseAmount, parseCurrency, splitProRata } from "@sealane/money";
import { lanesOf, type LanePlan } from "./lanes.ts";
import { openKafka } from "./open-kafka.ts";
import type { Home } from "./home.ts";
import {
  demoWorld,
  firstLiquidity,
  operator,
  operators,
  type FirstLiquidity,
  type World,
} from "./world.ts";

export type { FirstLiquidity } from "./world.ts";

/** An amount divided over so many lanes, to the last minor unit. */
const divide = ({ currency, amount }: FirstLiquidity, lanes: number): string[] => {
  const known = parseCurrency(currency);
  if (known === undefined) throw new Error(`${currency} is no currency`);
  const parsed = parseAmount(amount, known);
  if (!parsed.ok) throw new Error(`first liquidity ${currency} ${amount}: ${parsed.code}`);
  const parts = splitProRata(
    parsed.minor,
    Array.from({ length: lanes }, () => 1n),
  );
  return parts.map((minor) => formatAmount(minor, known));
};

/**
 * Sends the advances; resolves when they are acknowledged. Every lane gets an equal part.
 * @param liquidity other amounts than the demo's, for tests of too little cover
 * @param world whose lanes
 */
export const sendFirstLiquidity = async (
  home: Home,
  brokers: string,
  liquidity: readonly FirstLiquidity[] = firstLiquidity,
  world: World = demoWorld,
): Promise<void> => {
  const lanes = lanesOf(world);
  const keys = operators.map((person) => readKeyFile(home.keys(person, "operator.key")));
  const say = (first: FirstLiquidity, { lane, origin }: LanePlan) => {
    const which = `first-liquidity ${first.participant} ${first.currency}`;
    const id = transferIdOf(operator, lane === 0 ? which : `${which} lane ${lane}`);
    const advance: Advance = { id, ...first, note: "first liquidity of the demo, unbacked" };
    const text = statementText(origin, "advance", advance);
    const note = composeNote(
      text,
      keys.map(({ name, seed }) => signNoteLine(name, seed, text)),
    );
    const value = JSON.stringify({ v: 1, kind: "advance", note });
    return { topic: laneTopic(lane), key: id, value };
  };
  const records = liquidity.flatMap((first) => {
    const parts = divide(first, lanes.length);
    return lanes.map((lane, at) => say({ ...first, amount: parts[at] ?? "0" }, lane));
  });
  const producer = openKafka(brokers, "sealane-liquidity").producer();
  await producer.send(records, { deadlineMs: 10_000 });
  await producer.stop();
};
