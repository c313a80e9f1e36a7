// What the lane counts and traces. Spans are made per transfer that is sampled, never per batch of
// everything: an unsampled one costs a comparison. What is refused or ends without being posted is traced
// whatever was decided where it began: from here on by everybody, and what was left out here is made up for.
import type { BatchOutcome, LaneCommand } from "@sealane/rules";
import {
  isRecorded,
  recorded,
  traceparentOf,
  type Labels,
  type Telemetry,
} from "@sealane/telemetry";

/** Milliseconds since 1970. */
export type Clock = () => number;

export type LaneMetrics = {
  batch(outcome: BatchOutcome, commands: number, tookMs: number): void;
  sealed(ageMs: number): void;
  deadLetter(code: string): void;
};

export type LaneSpans = {
  /** Ends a span per sampled transfer of the batch; answers the traces to go on with, by id. */
  batch(
    outcome: BatchOutcome,
    commands: readonly LaneCommand[],
    startedMs: number,
  ): ReadonlyMap<string, string>;
  sealed(trace: string, startedMs: number): void;
};

/** @param labels the lane, where the process has several */
export const makeLaneMetrics = (telemetry: Telemetry, labels?: Labels): LaneMetrics => {
  const transfers = telemetry.counter("sealane_transfers", "Transfers by outcome");
  const refused = telemetry.counter("sealane_refusals", "Refused requests by code");
  const reserved = telemetry.counter("sealane_reservations", "Transfers reserved");
  const letters = telemetry.counter(
    "sealane_dead_letters",
    "Input that was dead-lettered, by code",
  );
  const bounds = [1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 80, 120, 200, 500, 1_000, 5_000];
  const batchMs = telemetry.histogram(
    "sealane_batch_ms",
    "From decision to stored, per batch",
    bounds,
  );
  const batches = telemetry.counter("sealane_batches", "Batches that were stored");
  const commandsIn = telemetry.counter("sealane_commands", "Commands that were decided");
  const sealMs = telemetry.histogram(
    "sealane_seal_ms",
    "From commit to a quorum, per entry",
    bounds,
  );
  return {
    batch: (outcome, commands, tookMs) => {
      for (const { outcome: end } of outcome.ended) transfers.add(1, { ...labels, outcome: end });
      for (const { code } of outcome.refusals) refused.add(1, { ...labels, code });
      if (outcome.reserved.length > 0) reserved.add(outcome.reserved.length, labels);
      batchMs.record(tookMs, labels);
      batches.add(1, labels);
      commandsIn.add(commands, labels);
    },
    sealed: (ageMs) => sealMs.record(ageMs, labels),
    deadLetter: (code) => letters.add(1, { ...labels, code }),
  };
};

const endsWell: ReadonlySet<string> = new Set(["committed", "recorded"]);

export const makeLaneSpans = (telemetry: Telemetry): LaneSpans => {
  const end = (name: string, parent: string, id: string, startTimeMs: number): string => {
    // Goes on with the parent where tracing is off.
    const span = telemetry.startSpan(name, {
      parent,
      startTimeMs,
      attributes: { "transfer.id": id },
    });
    span.end();
    return traceparentOf(span) ?? parent;
  };
  return {
    batch: (outcome, commands, startedMs) => {
      const traces = new Map<string, string>();
      for (const { id, trace } of outcome.reserved) {
        if (trace !== undefined) traces.set(id, end("ledger.reserve", trace, id, startedMs));
      }
      const accepted = new Map<string, string>();
      const asked = new Map<string, string>();
      for (const command of commands) {
        if (command.trace === undefined) continue;
        if (command.kind === "acceptance") accepted.set(command.id, command.trace);
        else if (command.kind === "intent") asked.set(command.body.id, command.trace);
      }
      for (const { id, final } of outcome.refusals) {
        const trace = asked.get(id);
        if (trace === undefined) continue;
        // Shedding is no end, and comes by the thousand.
        traces.set(id, end("ledger.refused", final ? recorded(trace) : trace, id, startedMs));
      }
      for (const { id, trace, reservedAtMs } of outcome.released) {
        if (trace === undefined || isRecorded(trace)) continue;
        end("ledger.reserve", recorded(trace), id, reservedAtMs);
      }
      for (const entry of outcome.entries) {
        const id = entry.transferId;
        if (id === undefined) continue;
        const parent = accepted.get(id) ?? entry.trace;
        if (parent === undefined) continue;
        const known = endsWell.has(entry.outcome) ? parent : recorded(parent);
        traces.set(id, end(`ledger.${entry.outcome}`, known, id, startedMs));
      }
      return traces;
    },
    sealed: (trace, startedMs) => {
      telemetry.startSpan("ledger.seal", { parent: trace, startTimeMs: startedMs }).end();
    },
  };
};
