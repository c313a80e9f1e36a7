// What arrives on topics: rubbish, statements that must not count, everything twice and out of order.
import { eventually } from "../../src/eventually.ts";
import { rubbish, sendBadStatements } from "../bad-statements.ts";
import { mixing } from "../processes.ts";
import type { FaultCase } from "../stage.ts";
import { allTopics, follow, openTopics, readTopics } from "../topics.ts";

const poison: FaultCase = {
  name: "poison",
  what: "rubbish on every topic: not JSON, wrong version, 0.8 MB, empty, bad UTF-8, deep, keys twice",
  run: async (stage) => {
    const messaging = openTopics(stage.world);
    const producer = messaging.producer();
    const letters = follow(messaging, "deadletter.ledger");
    try {
      await stage.underLoad(async () => {
        for (const value of rubbish) {
          for (const topic of allTopics) await producer.send([{ topic, value }]);
        }
        await eventually("the ledger has set all rubbish aside", () =>
          Promise.resolve(letters.records.length >= rubbish.length * 2),
        );
      });
      stage.showed(`${rubbish.length} kinds on ${allTopics.length} topics`);
    } finally {
      await letters.stop();
      await producer.stop();
    }
  },
};

const badStatements: FaultCase = {
  name: "bad-statements",
  what: "unsigned, half signed, changed, expired, foreign and mispriced intents on the lane, four times",
  run: async (stage) => {
    const producer = openTopics(stage.world).producer();
    try {
      await stage.underLoad(async () => {
        for (let round = 0; round < 4; round += 1) {
          const sealed = stage.lines().findLast(({ transfer }) => transfer === "sealed")?.id ?? "";
          for (const id of await sendBadStatements(stage.world, producer, sealed)) {
            stage.forbid(id);
          }
        }
      });
    } finally {
      await producer.stop();
    }
  },
};

/** Shuffles in place, by dice. */
const shuffle = <T>(items: T[]): T[] => {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
  return items;
};

const duplicates: FaultCase = {
  name: "duplicates",
  what: "random windows of every topic are written again, in any order, while transfers run",
  run: async (stage) => {
    const messaging = openTopics(stage.world);
    const producer = messaging.producer();
    const followed = readTopics.map((topic) => follow(messaging, topic));
    let written = 0;
    try {
      await stage.underLoad(async () => {
        for (let round = 0; round < 12; round += 1) {
          for (const { topic, records } of followed) {
            const from = Math.floor(Math.random() * records.length);
            const window = shuffle(records.slice(from, from + 40));
            written += window.length;
            const again = window.flatMap(({ key, value }) =>
              value === null ? [] : [{ topic, value, ...(key === undefined ? {} : { key }) }],
            );
            await producer.send(again);
          }
        }
      });
      stage.showed(`${written} records written again on ${followed.length} topics`);
    } finally {
      await Promise.all(followed.map((one) => one.stop()));
      await producer.stop();
    }
  },
};

const mixed: FaultCase = {
  name: "reordering",
  what: "the ledger and both adapters send a third of their batches reversed and a third twice",
  run: async (stage) => {
    const names = ["ledger", "hk-wallet", "ph-wallet"] as const;
    const { stack } = stage.world;
    try {
      await stage.underLoad(
        async () => {
          for (const name of names) {
            await stack.kill(name);
            await stack.start(name, mixing);
          }
        },
        { more: 250 },
      );
    } finally {
      for (const name of names) {
        await stack.kill(name);
        await stack.start(name);
      }
    }
  },
};

export const messageCases: readonly FaultCase[] = [poison, badStatements, duplicates, mixed];
