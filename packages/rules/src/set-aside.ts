// A command that stops the lane, set aside by two operators: it is decided by not being decided. Whoever
// can be authenticated as the sender of an intent gets a signed refusal that binds its id, unless the id
// is bound already; of everything else a dead letter remains. None of the code that decides a command
// runs here, because it is what may have failed.
import { linesOf, refuseIntent, type BatchContext } from "./intent.ts";
import { laneServes } from "./who-decides.ts";
import type { IntentCommand, LaneCommand, SetAsideCommand } from "./commands.ts";

/** How many operators must have signed. */
export const setAsideOperators = 2;

const refuse = (context: BatchContext, intent: IntentCommand, detail: string): void => {
  const { state, known } = context;
  const { id, payer } = intent.body;
  if (intent.origin !== state.origin) return;
  if (!linesOf(intent.lines, payer.participant, "transfer").ok) return;
  // What was decided under this id stands, and its participants have been told.
  if (state.open.has(id) || known.has(id)) return;
  const final = laneServes(context, id);
  refuseIntent(context, intent, { code: "set-aside", detail }, final);
};

export const decideSetAside = (context: BatchContext, command: SetAsideCommand): void => {
  const { state, outcome } = context;
  const { offset, body, operators, decision } = command;
  const of: LaneCommand | undefined = command.of;
  const stands =
    operators.length >= setAsideOperators &&
    command.origin === state.origin &&
    body.lane === state.lane &&
    body.offset === String(offset);
  if (!stands) throw new Error("broken invariant: a set-aside that does not stand");
  const detail = `set aside by ${operators.join(", ")}: ${body.reason}`;
  outcome.setAside.push({ offset, decision });
  outcome.deadLetters.push({ offset, code: "set-aside", detail });
  if (of?.kind === "intent") refuse(context, of, detail);
};
