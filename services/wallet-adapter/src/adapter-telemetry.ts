// What an adapter counts, times and traces. An end without a payout is traced from the request on, and a
// rejection is recorded whatever was decided where the trace began.
import { recorded, traceparentOf, type Counter, type Telemetry } from "@sealane/telemetry";
import type { Answer } from "./proposal.ts";
import type { TransferStatus, TransferView } from "./views.ts";

export type AdapterTelemetry = {
  /** A view reached a state at `atMs`. */
  readonly step: (step: TransferStatus, view: TransferView, atMs: number) => void;
  /** Ends a span for an answer; gives the trace to go on with. */
  readonly answered: (answer: Answer) => string | undefined;
  readonly deadLetters: Counter;
};

const badEnds: ReadonlySet<TransferStatus> = new Set(["rejected", "expired", "cancelled"]);

const bucketsMs = [2, 5, 10, 15, 20, 30, 50, 80, 120, 200, 500, 1_000, 5_000];

export const makeAdapterTelemetry = (telemetry: Telemetry): AdapterTelemetry => {
  const transfers = telemetry.counter("sealane_transfers", "Transfers by side and state reached");
  const stepMs = telemetry.histogram(
    "sealane_step_ms",
    "From the accepted request to each step, payer's side",
    bucketsMs,
  );
  return {
    step: (step, view, atMs) => {
      transfers.add(1, { role: view.role, state: step });
      const { accepted } = view.steps;
      if (view.role === "payer" && accepted !== undefined) {
        stepMs.record(Math.max(0, atMs - accepted), { step });
      }
      if (view.trace === undefined || step === "reserved") return;
      const attributes = { "transfer.id": view.id, role: view.role };
      const bad = badEnds.has(step);
      const parent = bad ? recorded(view.trace) : view.trace;
      const since = bad && accepted !== undefined ? { startTimeMs: accepted } : {};
      telemetry.startSpan(`adapter.${step}`, { parent, attributes, ...since }).end();
    },
    answered: ({ command, proposal }) => {
      if (proposal.trace === undefined) return undefined;
      const span = telemetry.startSpan(`adapter.${String(command.kind)}`, {
        parent: command.kind === "rejection" ? recorded(proposal.trace) : proposal.trace,
        attributes: { "transfer.id": proposal.terms.id },
      });
      span.end();
      return traceparentOf(span) ?? proposal.trace;
    },
    deadLetters: telemetry.counter("sealane_dead_letters", "Inbox messages that were refused"),
  };
};
