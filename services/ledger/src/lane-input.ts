// The lane's topic as the writer's input, and what can be seen of the lane from outside: its gauges.
import type { Consumer } from "@sealane/messaging";
import { laneTopic } from "@sealane/protocol";
import type { Labels, Telemetry } from "@sealane/telemetry";
import type { LaneInput, LaneWriter } from "./lane-writer.ts";
import type { LedgerProcess } from "./open-lane.ts";

/** The lane's topic as input of the writer: a new consumer for each beginning. */
export const makeInput = ({ messaging, log }: LedgerProcess, lane: number, writer: LaneWriter) => {
  let consumer: Consumer | undefined;
  const input: LaneInput = {
    start: (from) => {
      let next = from;
      consumer = messaging.consumer({
        topic: laneTopic(lane),
        groupId: `ledger-lane-${lane}`,
        fromOffset: () => Promise.resolve(next),
        onBatch: async (records) => {
          await writer.push(records.map(({ offset, value }) => ({ offset, value })));
          const last = records.at(-1)?.offset;
          if (last !== undefined) next = last + 1n;
        },
        onError: (err) => log.warn({ err }, "reading the lane failed, beginning again"),
      });
      return Promise.resolve();
    },
    stop: async () => {
      await consumer?.stop();
      consumer = undefined;
    },
  };
  const lag = (): number => {
    const now = consumer?.lag();
    return now === undefined ? 0 : Number(now.highWatermark - now.position);
  };
  return { input, lag };
};

/** @param labels the lane, where the process has several */
export const laneGauges = (
  telemetry: Telemetry,
  writer: LaneWriter,
  lag: () => number,
  labels: Labels | undefined,
): void => {
  const gauge: Telemetry["gauge"] = (name, help, read) => telemetry.gauge(name, help, read, labels);
  gauge("sealane_log_size", "Entries of the lane", writer.size);
  gauge("sealane_unsealed_age_ms", "Age of the oldest unsealed entry", writer.unsealedAgeMs);
  gauge("sealane_queue_commands", "Commands read and not yet decided", writer.queued);
  gauge(
    "sealane_stopped_offset",
    "Offset of the command at which the lane stops; -1 when it does not",
    () => Number(writer.stopped()?.offset ?? -1n),
  );
  gauge("sealane_input_lag", "Commands on the topic that are not read yet", lag);
  gauge("sealane_open_transfers", "Reserved and not ended", () => writer.state()?.open.size ?? 0);
};
