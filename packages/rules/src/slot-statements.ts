// Slots that leave and come, as a lane decides on them. What the key log gives to another lane leaves at the
// beginning of the first batch that cites it, before any command: nobody asks for it, and nobody can forget.
import { formatTime, statementText, type LanesRecord } from "@sealane/protocol";
import { append } from "./batch-outcome.ts";
import type { SlotsInCommand } from "./commands.ts";
import type { BatchContext } from "./intent.ts";
import type { KeyState } from "./key-state.ts";
import type { LaneState } from "./lane-state.ts";
import {
  applySlotsIn,
  applySlotsOut,
  slotsInFault,
  slotsLeaving,
  type SlotsLeaving,
} from "./settlement/index.ts";

/** The record of lanes by which nothing has to leave any more: a memo, so that most batches ask nothing. */
const lanesSeen = new WeakMap<LaneState, LanesRecord | undefined>();

const leavingOf = ({ settlement, origin, open }: LaneState, keys: KeyState): SlotsLeaving =>
  slotsLeaving(settlement, keys, origin, () => open.keys());

/** Whether slots have to leave: to be asked by whoever waits for a reason to run a batch. */
export const slotsWait = (state: LaneState, keys: KeyState | undefined): boolean =>
  keys !== undefined &&
  keys.lanes !== lanesSeen.get(state) &&
  leavingOf(state, keys).out.length > 0;

const appendOwn = (context: BatchContext, kind: string, body: object, inner?: string) =>
  append(context.state, context.outcome, {
    keys: context.cited,
    time: formatTime(context.timeMs),
    result: "recorded",
    participants: [],
    postings: [],
    inner: statementText(context.state.origin, kind, body, inner),
    ownInner: true,
  });

/** Lets go what the key log gives to other lanes; what has too many open transfers leaves later. */
export const closeSlots = (context: BatchContext): void => {
  const { state, keys } = context;
  if (keys.lanes === lanesSeen.get(state)) return;
  const { settlement, origin } = state;
  const { out, crowded } = leavingOf(state, keys);
  for (const body of out) {
    const { seq } = appendOwn(context, "slots-out", body);
    applySlotsOut(settlement, keys, origin, body, seq);
  }
  if (!crowded) lanesSeen.set(state, keys.lanes);
};

/** Takes in what another lane has let go; the entry is the ledger's own, around the other lane's. */
export const decideSlotsIn = (context: BatchContext, command: SlotsInCommand): void => {
  const { state, keys, outcome } = context;
  const { body, gone, entry, offset } = command;
  const { settlement, origin } = state;
  const fault = slotsInFault(settlement, keys, origin, gone);
  if (fault?.code === "statement-repeated") return;
  if (fault !== undefined) {
    outcome.deadLetters.push({ offset, ...fault });
    return;
  }
  const { seq } = appendOwn(context, command.kind, body, entry);
  applySlotsIn(settlement, keys, origin, gone, seq);
  // The key log may give them to a third lane by now.
  lanesSeen.delete(state);
};
