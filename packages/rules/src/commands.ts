// What a lane decides on, after parsing and after the mathematics of signatures, which run off the
// main thread. Whether a key is in force is decided here in `rules`, by place.
import type {
  Adjustment,
  Advance,
  BankStatement,
  Cancellation,
  Carried,
  ChainStatement,
  Credited,
  EnvelopeField,
  LiquidityOut,
  RateSheet,
  RateWithdrawal,
  Recall,
  RecallRefusal,
  Rejection,
  Return,
  SetAside,
  SettlementAbort,
  Terms,
  WindowCut,
  WindowDefault,
} from "@sealane/protocol";
import type { RegisteredKey } from "./key-state.ts";
import type { LetGo } from "./settlement/lane-moves.ts";
import type { SlotsGone } from "./settlement/slots.ts";

/** One signature line over a statement's text, by a key that the key log knows or knew. */
export type CheckedLine = {
  readonly line: string;
  readonly key: RegisteredKey;
  /** Whether the signature verifies. */
  readonly good: boolean;
};

type Base = { readonly offset: bigint; readonly trace?: string | undefined };

type Signed<K extends string, B> = Base & {
  readonly kind: K;
  readonly origin: string;
  readonly body: B;
  /** The statement's text, without signatures. */
  readonly text: string;
  /** The whole note as it came. */
  readonly note: string;
  readonly inner: string | undefined;
  readonly lines: readonly CheckedLine[];
  /** Signature lines by keys that the key log does not know. */
  readonly unknownLines: number;
};

export type IntentCommand = Signed<"intent", Terms> & {
  readonly envelope?: EnvelopeField | undefined;
  /** Good lines of operators over the same terms, each operator once: what a policy may ask for. */
  readonly approvals?: readonly CheckedLine[] | undefined;
};
export type AcceptanceCommand = Base & {
  readonly kind: "acceptance";
  readonly id: string;
  /** Undefined when the transfer was not open, or the key unknown, when the line was checked. */
  readonly line: CheckedLine | undefined;
};
/** An operator's line is checked against the operators' keys, not the participants'. */
export type AdvanceCommand = Signed<"advance", Advance> & {
  /** Names of the operators whose signature verifies, without repetition. */
  readonly operators: readonly string[];
};
/** Two operators' decision in the place of the command at `offset`. */
export type SetAsideCommand = Base & {
  readonly kind: "set-aside";
  readonly origin: string;
  readonly body: SetAside;
  /** The decision's note, whole. */
  readonly decision: string;
  /** Names of the operators whose signature verifies, without repetition. */
  readonly operators: readonly string[];
  /** What is set aside, as far as it could be read. */
  readonly of: LaneCommand | undefined;
};
export type WindowCutCommand = Signed<"window-cut", WindowCut> & {
  readonly operators: readonly string[];
  /** Names of scheduler keys, of any corridor, whose signature verifies. */
  readonly schedulers: readonly string[];
};
/** One note of a statement that comes in several. */
export type StatementPart = Omit<Signed<"bank-statement", BankStatement>, keyof Base | "kind">;
export type BankStatementCommand = Signed<"bank-statement", BankStatement> & {
  /** The parts that follow, in order. */
  readonly more?: readonly StatementPart[] | undefined;
};
export type WindowDefaultCommand = Signed<"window-default", WindowDefault> & {
  readonly operators: readonly string[];
};
export type SettlementAbortCommand = Signed<"settlement-abort", SettlementAbort> & {
  readonly operators: readonly string[];
};
/** Two operators on what a break comes to. */
export type AdjustmentCommand = Signed<"adjustment", Adjustment> & {
  readonly operators: readonly string[];
};
/** Two operators let cover go to another lane. */
export type LiquidityOutCommand = Signed<"liquidity-out", LiquidityOut> & {
  readonly operators: readonly string[];
};
/** What another lane has let go: its entry and proof were judged when the command was opened. */
export type LiquidityInCommand = Base & {
  readonly kind: "liquidity-in";
  readonly body: Carried;
  /** The entry of the other lane, whole. */
  readonly entry: string;
  readonly letGo: LetGo;
};
export type SlotsInCommand = Base & {
  readonly kind: "slots-in";
  readonly body: Carried;
  /** The entry of the other lane, whole. */
  readonly entry: string;
  readonly gone: SlotsGone;
};
export type SettlementCommand =
  | WindowCutCommand
  | BankStatementCommand
  | WindowDefaultCommand
  | SettlementAbortCommand
  | LiquidityOutCommand
  | AdjustmentCommand;
export type LaneCommand =
  | IntentCommand
  | AcceptanceCommand
  | Signed<"rejection", Rejection>
  | Signed<"cancellation", Cancellation>
  | Signed<"rate-sheet", RateSheet>
  | Signed<"rate-withdrawal", RateWithdrawal>
  | Signed<"credited", Credited>
  | Signed<"statement", ChainStatement>
  | ReturnCommand
  | RecallCommand
  | RecallRefusalCommand
  | AdvanceCommand
  | SettlementCommand
  | LiquidityInCommand
  | SlotsInCommand
  | SetAsideCommand;

export type ReturnCommand = Signed<"return", Return>;
export type RecallCommand = Signed<"recall", Recall>;
export type RecallRefusalCommand = Signed<"recall-refusal", RecallRefusal>;
export type RejectionCommand = Signed<"rejection", Rejection>;
export type CancellationCommand = Signed<"cancellation", Cancellation>;
export type RateSheetCommand = Signed<"rate-sheet", RateSheet>;
export type RateWithdrawalCommand = Signed<"rate-withdrawal", RateWithdrawal>;
export type CreditedCommand = Signed<"credited", Credited>;
export type StatementCommand = Signed<"statement", ChainStatement>;
