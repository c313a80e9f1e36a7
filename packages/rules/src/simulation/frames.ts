// What stands on the simulated topics, and the ledger's door: a frame becomes a command that the rules
// decide on, its lines judged by the keys that the key log knows; what no known key signed is dropped.
import type { CheckedLine, LaneCommand } from "../commands.ts";
import type { KeyState } from "../key-state.ts";
import type { LaneState } from "../lane-state.ts";
import { operator } from "../testing/genesis.ts";
import { judgeLines, signersAmong, type Said } from "./stub-keys.ts";

export type LaneFrame =
  | { readonly kind: "acceptance"; readonly id: string; readonly line: string }
  | { readonly kind: "intent" | StatementKind; readonly said: Said };

export type StatementKind =
  | "rejection"
  | "cancellation"
  | "rate-sheet"
  | "rate-withdrawal"
  | "credited"
  | "advance"
  | "window-cut"
  | "bank-statement"
  | "settlement-abort";

export const frameOf = (kind: "intent" | StatementKind, said: Said): LaneFrame => ({ kind, said });

const byOperators: ReadonlySet<string> = new Set(["advance", "window-cut", "settlement-abort"]);

const operatorLine = (key: CheckedLine["key"]["key"], line: string): CheckedLine => {
  const fields = { vkey: "", addedAt: 0, revokedAt: undefined, purpose: "transfer" } as const;
  return { line, key: { participant: operator, key, ...fields }, good: true };
};

/** @returns undefined for a dead letter */
export const openFrame = (
  frame: LaneFrame,
  offset: number,
  keys: KeyState,
  state: LaneState,
): LaneCommand | undefined => {
  const at = BigInt(offset);
  if (frame.kind === "acceptance") {
    const { id } = frame;
    const text = state.open.get(id)?.text;
    const [line] = judgeLines(keys, text, [frame.line]).lines;
    return { kind: "acceptance", offset: at, id, line };
  }
  const { kind, said } = frame;
  const { origin, body, text, note, inner } = said;
  const common = { kind, offset: at, origin, body, text, note, inner };
  if (byOperators.has(kind)) {
    const operators = signersAmong(keys.operatorKeys, text, said.lines);
    const scheduling = [...keys.corridors.values()].flatMap(
      ({ schedulerKey }) => schedulerKey ?? [],
    );
    const schedulers = signersAmong(scheduling, text, said.lines);
    const lines = [...operators, ...schedulers].map(({ key, line }) => operatorLine(key, line));
    const names = { operators: operators.map(({ key }) => key.name) };
    const services = { schedulers: schedulers.map(({ key }) => key.name) };
    return { ...common, lines, unknownLines: 0, ...names, ...services } as LaneCommand;
  }
  const { lines, unknown } = judgeLines(keys, text, said.lines);
  if (lines.length === 0) return undefined;
  return { ...common, lines, unknownLines: unknown } as LaneCommand;
};
