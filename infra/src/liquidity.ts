// The demo's first liquidity: advances that two operators sign, sent to the lane like any command. Each
// has an id of its own, so that sending them at every start posts them once.
import { laneTopic, statementText, transferIdOf, type Advance } from "@sealane/protocol";
import { readKeyFile } from "@sealane/signer";
import { composeNote, signNoteLine } from "@sealane/tlog";
import { openKafka } from "./open-kafka.ts";
import type { Home } from "./home.ts";
import { firstLiquidity, lane, operator, operators, origin, type FirstLiquidity } from "./world.ts";

export type { FirstLiquidity } from "./world.ts";

/**
 * Sends the advances; resolves when they are acknowledged.
 * @param liquidity other amounts than the demo's, for tests of too little cover
 */
export const sendFirstLiquidity = async (
  home: Home,
  brokers: string,
  liquidity: readonly FirstLiquidity[] = firstLiquidity,
): Promise<void> => {
  const keys = operators.map((person) => readKeyFile(home.keys(person, "operator.key")));
  const records = liquidity.map((first) => {
    const id = transferIdOf(operator, `first-liquidity ${first.participant} ${first.currency}`);
    const advance: Advance = { id, ...first, note: "first liquidity of the demo, unbacked" };
    const text = statementText(origin, "advance", advance);
    const note = composeNote(
      text,
      keys.map(({ name, seed }) => signNoteLine(name, seed, text)),
    );
    const value = JSON.stringify({ v: 1, kind: "advance", note });
    return { topic: laneTopic(lane), key: id, value };
  });
  const producer = openKafka(brokers, "sealane-liquidity").producer();
  await producer.send(records, { deadlineMs: 10_000 });
  await producer.stop();
};
