// What reconciliation counts and traces: a span per sampled transfer, gauges of how far it is.
import type { Telemetry } from "@sealane/telemetry";
import type { Standing } from "./bookkeeper.ts";
import type { PendingEntry } from "./books.ts";

export type BookTelemetry = ReturnType<typeof makeBookTelemetry>;

export const makeBookTelemetry = (telemetry: Telemetry, clock: () => number) => {
  const posted = telemetry.counter("sealane_entries_posted", "Entries posted, by outcome");
  const letters = telemetry.counter("sealane_dead_letters", "Input that was not used, by code");
  const bounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];
  const batchMs = telemetry.histogram(
    "sealane_post_batch_ms",
    "From received to stored, per batch",
    bounds,
  );
  return {
    stored: (entries: readonly PendingEntry[], startedMs: number): void => {
      if (entries.length === 0) return;
      batchMs.record(clock() - startedMs);
      for (const { outcome, trace, endedId, seq } of entries) {
        posted.add(1, { outcome });
        if (trace === undefined) continue;
        const attributes = {
          "entry.seq": seq,
          ...(endedId === undefined ? {} : { "transfer.id": endedId }),
        };
        telemetry
          .startSpan("reconciliation.post", { parent: trace, startTimeMs: startedMs, attributes })
          .end();
      }
    },
    deadLetter: (code: string): void => letters.add(1, { code }),
  };
};

export type BookGauges = {
  readonly standing: () => Standing | undefined;
  /** Messages of the topic that are not read yet. */
  readonly lag: () => number;
  readonly clock: () => number;
};

export const makeGauges = (telemetry: Telemetry, { standing, lag, clock }: BookGauges): void => {
  telemetry.gauge("sealane_applied_entries", "Entries of the log that are posted", () => {
    return standing()?.applied ?? 0;
  });
  telemetry.gauge("sealane_sealed_size", "Entries under the newest cosigned checkpoint", () => {
    return standing()?.sealedSize ?? 0;
  });
  telemetry.gauge("sealane_entries_lag", "Messages of entries that are not read yet", lag);
  telemetry.gauge("sealane_checkpoint_age_ms", "Age of the newest cosigned checkpoint", () => {
    const atMs = standing()?.sealedAtMs ?? 0;
    return atMs === 0 ? 0 : Math.max(0, clock() - atMs);
  });
};
