// Follows `entries.<lane>` from its end; what came before, and what is missing, is read from the log over
// HTTP. The topic proves nothing: pages show what it says at once, and a transfer's own page checks the
// entry against a cosigned checkpoint.
import { LogReadError, type LogReader } from "@sealane/client";
import type { Consumer, Messaging } from "@sealane/messaging";
import { entriesMessageSchema, entriesTopic } from "@sealane/protocol";
import { pause } from "@sealane/runtime";
import { parseCheckpointText, parseNote } from "@sealane/tlog";
import type { LogBook } from "./log-book.ts";

export type Following = {
  /** Why nothing arrives, or undefined. */
  readonly fault: () => string | undefined;
  readonly stop: () => Promise<void>;
};

export type FollowDeps = {
  readonly lane: number;
  readonly messaging: Messaging;
  readonly reader: LogReader;
  readonly book: LogBook;
  /** Told of each checkpoint on the topic. */
  readonly onCheckpoint: (note: string) => void;
  readonly log: { warn(fields: object, message: string): void };
};

/** Entries that are read at the start, and at most for one gap. */
const mostMissed = 1_000;
const retryMs = 1_000;
const decoder = new TextDecoder("utf-8", { fatal: true });

const readMessage = (value: Uint8Array | null) => {
  try {
    return entriesMessageSchema.safeParse(JSON.parse(decoder.decode(value ?? new Uint8Array())))
      .data;
  } catch {
    return undefined;
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : "unknown");

export const followEntries = (deps: FollowDeps): Following => {
  const { lane, messaging, reader, book, log } = deps;
  const topic = entriesTopic(lane);
  const stopping = new AbortController();
  let fault: string | undefined = "not begun";
  let consumer: Consumer | undefined;
  let next: bigint | undefined;

  const fill = async (from: number, to: number): Promise<void> => {
    const first = Math.max(from, to - mostMissed, 0);
    if (first >= to) return;
    const notes = await reader.entries(first, to);
    book.add(
      notes.map((note, at) => ({ seq: first + at, note })),
      false,
    );
  };

  /** What the log holds already; an empty log has no checkpoint. */
  const backfill = async (): Promise<void> => {
    const { size } = parseCheckpointText(parseNote(await reader.checkpoint()).text);
    await fill(0, size);
  };

  /** The ledger may start later than we: until it has answered. */
  const keepBackfilling = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await backfill();
        return;
      } catch (err) {
        if (!(err instanceof LogReadError)) log.warn({ err }, "the newest entries cannot be read");
        await pause(retryMs, stopping.signal);
      }
    }
  };

  const begin = async (): Promise<void> => {
    next = (await messaging.admin().topicOffsets(topic)).high;
  };

  const beginAgain = async (): Promise<void> => {
    try {
      await begin();
      await backfill();
    } catch (err) {
      log.warn({ err }, "the newest entries cannot be read");
    }
  };

  const take = async (value: Uint8Array | null): Promise<void> => {
    const message = readMessage(value);
    if (message === undefined || message.lane !== lane) return;
    const end = book.end() ?? message.from;
    if (message.from > end && message.entries.length > 0) {
      await fill(end, message.from).catch((err: unknown) =>
        log.warn({ err, from: end, to: message.from }, "entries are missing here"),
      );
    }
    book.add(message.entries, true);
    if (message.checkpoint !== undefined) deps.onCheckpoint(message.checkpoint);
  };

  const run = async (): Promise<void> => {
    while (next === undefined && !stopping.signal.aborted) {
      try {
        await begin();
      } catch (error) {
        fault = reasonOf(error);
        await pause(retryMs, stopping.signal);
      }
    }
    if (stopping.signal.aborted) return;
    consumer = messaging.consumer({
      topic,
      groupId: `console-${lane}`,
      fromOffset: () => {
        fault = undefined;
        return Promise.resolve(next);
      },
      onBatch: async (records) => {
        for (const { value, offset } of records) {
          await take(value);
          next = offset + 1n;
        }
        fault = undefined;
      },
      onError: (error) => {
        fault = error.message;
        // Older than the topic keeps: from its end again, and the gap from the log.
        if (error.code === "offset-lost") void beginAgain();
      },
    });
  };

  const running = Promise.all([run(), keepBackfilling()]);
  return {
    fault: () => fault,
    stop: async () => {
      stopping.abort();
      await consumer?.stop();
      await running;
    },
  };
};
