// Stands in for `@sealane/messaging` in a process that was started with failpoints.
import { createMessaging as create } from "@sealane/messaging";
import { around, pointsOfTopics } from "./failpoint.ts";

export * from "@sealane/messaging";

const mixes = process.env["SEALANE_MIX"] === "yes";

/** A third goes as it is, a third reversed, a third twice: more than any network does. */
const mixed = <T>(batch: readonly T[]): readonly (readonly T[])[] => {
  if (!mixes) return [batch];
  const dice = Math.random();
  if (dice < 1 / 3) return [batch];
  return dice < 2 / 3 ? [batch.toReversed()] : [batch, batch];
};

export const createMessaging: typeof create = (config) => {
  const messaging = create(config);
  return {
    ...messaging,
    producer: () => {
      const producer = messaging.producer();
      return {
        ...producer,
        send: (batch, options) =>
          around(pointsOfTopics(batch.map(({ topic }) => topic)), async () => {
            for (const part of mixed(batch)) await producer.send(part, options);
          }),
      };
    },
  };
};
