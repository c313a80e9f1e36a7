// Adjustments on their way to the lane: what operators sign about a break is judged by the books of now, so
// that what cannot stand is said at once. The lane judges again, and its word counts. No key is held here.
import {
  adjustmentSchema,
  laneTopic,
  noteHash,
  readNote,
  readStatement,
  type Adjustment,
} from "@sealane/protocol";
import {
  adjustmentFault,
  standingOf,
  type AuditState,
  type KeyState,
  type SettlementFault,
} from "@sealane/rules";
import { signedBy } from "../judge-bank-statement.ts";
import type { BreakRow } from "./break-reader.ts";

export type AdjustmentDeskDeps = {
  readonly lane: number;
  readonly origin: string;
  readonly books: () => AuditState | undefined;
  readonly keys: () => KeyState | undefined;
  readonly send: (topic: string, value: string) => Promise<void>;
};

export type AdjustmentJudged =
  | { readonly body: Adjustment; readonly text: string }
  | { readonly fault: SettlementFault };

export type AdjustmentDesk = ReturnType<typeof makeAdjustmentDesk>;

/** What is signed, without the signatures. */
export const textOf = (note: string | undefined): string | undefined => {
  const read = readNote(note ?? "");
  return read.ok ? read.note.text : undefined;
};

const no = (code: string, detail: string): AdjustmentJudged => ({ fault: { code, detail } });

/** Whether it is about this break: a proposal for another would resolve the wrong one. */
const isAbout = (body: Adjustment, found: BreakRow): boolean =>
  body.id === found.id &&
  body.break === found.kind &&
  (found.transfer_id === null || body.transfer === found.transfer_id);

export const makeAdjustmentDesk = (deps: AdjustmentDeskDeps) => {
  const { lane, origin } = deps;

  /** Reads and judges a note that `needed` operators must have signed, each with a key of their own. */
  const judge = (found: BreakRow, note: string, needed: number): AdjustmentJudged => {
    const [state, keys, read] = [deps.books(), deps.keys(), readNote(note)];
    if (state === undefined || keys === undefined) return no("no-books", "not read yet");
    if (!read.ok) return no(read.code, read.detail);
    const said = readStatement(read.note, "adjustment", adjustmentSchema);
    if (!said.ok) return no(said.code, said.detail);
    const { body } = said.statement;
    if (said.statement.origin !== origin) {
      return no("wrong-log", `signed for ${said.statement.origin}, this is ${origin}`);
    }
    if (!isAbout(body, found)) return no("wrong-break", "it is about another break");
    const count = keys.operatorKeys.filter((key) => signedBy(read.note, key)).length;
    if (count < needed) return no("signature-missing", `needs ${needed} operators, has ${count}`);
    const { balances, settlement } = state;
    const mayLeave = (name: string, currency: string): bigint => {
      const record = keys.participants.get(name);
      return record === undefined
        ? 0n
        : standingOf(balances, record, currency, settlement).headroom;
    };
    const at = { keys, balances, mayLeave };
    const fault = adjustmentFault(settlement, at, body, noteHash(read.note.text));
    // Posted before: the log's entry resolves the case, whoever hands it in again.
    if (fault !== undefined && fault.code !== "statement-repeated") return { fault };
    return { body, text: read.note.text };
  };

  const send = (note: string): Promise<void> =>
    deps.send(laneTopic(lane), JSON.stringify({ v: 1, kind: "adjustment", note }));

  return { judge, send };
};
