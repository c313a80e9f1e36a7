// Notices to the core of how a transfer stands, on both sides: numbered per transfer, told until the
// core answers that number. A newer one replaces an older one that is still waiting.
import type { HttpClient } from "@sealane/http";
import { z } from "zod";
import { makeCoreQueue } from "./core-desk.ts";
import type { Persister } from "./persister.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Kept } from "./view-store.ts";

const resultSchema = z.object({ transferId: z.string(), number: z.number(), ok: z.literal(true) });

export type Notices = {
  /** The view moved: its newest number is owed to the core. */
  readonly owe: (kept: Kept) => void;
  readonly owed: () => number;
  readonly oldestMs: () => number;
  readonly stop: () => void;
};

export const makeNotices = (deps: {
  readonly core: HttpClient;
  readonly book: TransferBook;
  readonly persister: Persister;
  readonly clock: () => number;
  readonly log: { warn(fields: object, message: string): void };
}): Notices => {
  const { core, book, persister, clock, log } = deps;
  const queue = makeCoreQueue({
    core,
    path: "/v1/notifications",
    list: "notifications",
    result: resultSchema,
    keyOf: ({ transferId }) => transferId,
    inFlight: 2,
    perCall: 400,
    timeoutMs: 5_000,
    lingerMs: 100,
    clock,
    onFailure: (detail, jobs) => log.warn({ detail, jobs }, "the core did not answer notices"),
  });

  const owe = ({ view }: Kept): void => {
    queue.add({
      key: view.id,
      build: async () => {
        const now = await book.find(view.id);
        if (now === undefined) return undefined;
        return {
          transferId: now.id,
          number: now.notice,
          status: now.creditException === undefined ? now.status : "credit-exception",
          ...(now.reason === undefined ? {} : { reason: now.reason }),
          ...(now.returnOf === undefined ? {} : { returnOf: now.returnOf }),
          ...(now.recallOf === undefined ? {} : { recallOf: now.recallOf }),
          ...(now.sent === undefined ? {} : { sent: now.sent }),
          ...(now.received === undefined ? {} : { received: now.received }),
        };
      },
      done: ({ number }) => {
        const kept = book.get(view.id);
        if (kept === undefined) return;
        kept.view.notified = Math.max(kept.view.notified, number);
        persister.view(kept);
        // It moved again while the core was being told.
        if (kept.view.notified < kept.view.notice) owe(kept);
      },
    });
  };
  return { owe, owed: queue.size, oldestMs: queue.oldestMs, stop: queue.stop };
};
