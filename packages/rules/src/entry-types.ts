// What a verifier gives for an entry, and what it is told: shared by who judges one entry, one lane, or
// what one lane carries to another.
import type {
  Advance,
  ChainStatement,
  Credited,
  EntryContext,
  RateSheet,
  RateWithdrawal,
  Terms,
} from "@sealane/protocol";
import type { SheetOf } from "./conversion.ts";
import type { EntryFault, SignatureJudge } from "./entry-signatures.ts";
import type { KeyHistory } from "./key-history.ts";
import type { ReturnEntry } from "./verify-returns.ts";
import type { SettlementEntry } from "./verify-settlement.ts";

export type EntryKind =
  | "transfer"
  | "rejection"
  | "cancellation"
  | "rate-sheet"
  | "rate-withdrawal"
  | "credited"
  | "statement"
  | "advance"
  | SettlementEntry["kind"]
  | ReturnEntry["kind"];

export type VerifiedEntry = {
  readonly context: EntryContext;
  readonly timeMs: number;
  readonly kind: EntryKind;
  /** The one inner note, whole: what a sheet's hash is over. */
  readonly inner: string;
  readonly terms: Terms | undefined;
  readonly sheet: RateSheet | undefined;
  readonly withdrawal: RateWithdrawal | undefined;
  readonly credited: Credited | undefined;
  readonly statement: ChainStatement | undefined;
  readonly advance: Advance | undefined;
  readonly settlement: SettlementEntry | undefined;
  /** A return, a recall or a refusal, with the transfer that it is about. */
  readonly returns: ReturnEntry | undefined;
  /** The transfer that it is about. */
  readonly transferId: string | undefined;
};

export type EntryResult = { readonly ok: true; readonly entry: VerifiedEntry } | EntryFault;

export type EntryChecks = {
  readonly origin: string;
  readonly history: KeyHistory;
  /** `false` replays without judging signatures, for a second pass over bytes judged before. */
  readonly signatures: boolean;
  /** A sheet's note by its hash, when at hand: without it the conversion is not checked. */
  readonly sheetOf?: SheetOf | undefined;
  /** Judges one signature; who judges elsewhere (threads) notes it down and answers true. */
  readonly verify?: SignatureJudge | undefined;
  /**
   * Why a checkpoint of another lane is not sealed, by a policy: what was carried from there counts only
   * under one that is. Without it that is not judged.
   */
  readonly sealed?: ((checkpoint: string) => EntryFault | undefined) | undefined;
};
