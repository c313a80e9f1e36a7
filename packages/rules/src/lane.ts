// The lane's fold: one batch in, its decisions out. Order: timers due at the batch's log time,
// then the commands in the order of the topic. Mutates the state; same input, same decisions.
import { noteHash } from "@sealane/protocol";
import { emptyOutcome, type BatchOutcome, type KeysCited } from "./batch-outcome.ts";
import type { LaneCommand } from "./commands.ts";
import {
  decideIntent,
  statementFault,
  type BatchContext,
  type EntryReader,
  type LinkReader,
} from "./intent.ts";
import type { KeyState } from "./key-state.ts";
import type { KnownTransfer, LaneState } from "./lane-state.ts";
import {
  decideAdvance,
  decideCredited,
  decideRateSheet,
  decideRateWithdrawal,
  decideStatement,
} from "./provider-statements.ts";
import { decideRecall, decideRecallRefusal, decideReturn } from "./return-statements.ts";
import { closeSlots, decideSlotsIn } from "./slot-statements.ts";
import { decideSetAside } from "./set-aside.ts";
import { decideLiquidityIn, decideSettlement } from "./settlement-statements.ts";
import {
  decideAcceptance,
  decideCancellation,
  decideRejection,
  expireDue,
  repeatProposals,
} from "./transfer-end.ts";

export const proposalRepeatMs = 2_000;

export type BatchInput = {
  /** Log time: max(last, clock), stored with the batch and used again by replay. */
  readonly timeMs: number;
  readonly commands: readonly LaneCommand[];
  /** The key log's state as of `cited`, which a quorum has cosigned. */
  readonly keys: KeyState;
  readonly cited: KeysCited;
  /** What ended earlier under the ids of these commands. */
  readonly known: Map<string, KnownTransfer>;
  /** Which transfer used each of these commands' quotes. */
  readonly usedQuotes: Map<string, string>;
  /** False while too few witnesses answer: nothing new is reserved, open transfers still end. */
  readonly mayReserve: boolean;
  /** The clock cannot be trusted: nothing new is reserved, open transfers still end. */
  readonly clockOff?: boolean | undefined;
  /** Intents below this offset of the topic were sent before a recovery, and are refused. */
  readonly recoveredTo?: bigint | undefined;
  /**
   * Leaf hash of a participant's entry n, base64, so that a `credited` statement that names another
   * history is not logged. Without it heads are not judged here, but every verifier does.
   */
  readonly headOf?: ((participant: string, n: number) => string | undefined) | undefined;
  /** The same for a chain statement, which names its head by its place in the lane. */
  readonly linkAt?: LinkReader | undefined;
  /** The entry at a place, as published: below a return stands the one of its original. */
  readonly entryAt?: EntryReader | undefined;
};

/** An intent is answered with a refusal; every other statement that cannot stand is dead-lettered. */
const isMisshapen = (context: BatchContext, command: LaneCommand): boolean => {
  const { kind } = command;
  if (kind === "intent" || kind === "acceptance" || kind === "set-aside") return false;
  if (kind === "liquidity-in" || kind === "slots-in") return false;
  const fault = statementFault(command);
  if (fault === undefined) return false;
  context.outcome.deadLetters.push({ offset: command.offset, ...fault });
  return true;
};

const decideCommand = (context: BatchContext, command: LaneCommand): void => {
  if (isMisshapen(context, command)) return undefined;
  switch (command.kind) {
    case "intent":
      return decideIntent(context, command);
    case "acceptance":
      return decideAcceptance(context, command);
    case "rejection":
      return decideRejection(context, command);
    case "cancellation":
      return decideCancellation(context, command);
    case "rate-sheet":
      return decideRateSheet(context, command, noteHash);
    case "rate-withdrawal":
      return decideRateWithdrawal(context, command);
    case "credited":
      return decideCredited(context, command);
    case "statement":
      return decideStatement(context, command);
    case "advance":
      return decideAdvance(context, command);
    case "set-aside":
      return decideSetAside(context, command);
    case "return":
      return decideReturn(context, command);
    case "recall":
      return decideRecall(context, command);
    case "recall-refusal":
      return decideRecallRefusal(context, command);
    case "window-cut":
    case "bank-statement":
    case "window-default":
    case "settlement-abort":
    case "liquidity-out":
    case "adjustment":
      return decideSettlement(context, command);
    case "liquidity-in":
      return decideLiquidityIn(context, command);
    case "slots-in":
      return decideSlotsIn(context, command);
    default:
      return command satisfies never;
  }
};

/** Decides one batch and folds it into `state`. */
export const decideBatch = (state: LaneState, input: BatchInput): BatchOutcome => {
  if (input.timeMs < state.logTimeMs) throw new Error("broken invariant: log time went backwards");
  const outcome = emptyOutcome(input.timeMs);
  state.logTimeMs = input.timeMs;
  const context: BatchContext = { state, outcome, ...input };
  expireDue(context);
  closeSlots(context);
  for (const command of input.commands) decideCommand(context, command);
  repeatProposals(context, proposalRepeatMs);
  return outcome;
};
