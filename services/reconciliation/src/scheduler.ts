// Cuts windows when their corridor's schedule says so, under the operator's service key, which may do
// nothing else. A cut names its window's number, so another instance, an operator at the same moment or
// a start after a crash cut it once: whoever comes later finds it cut.
import { formatTime, laneTopic, statementText } from "@sealane/protocol";
import { cutFault, lastDueCut, type AuditState, type KeyHistory } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import type { Signer } from "@sealane/signer";
import { composeNote } from "@sealane/tlog";

export type SchedulerDeps = {
  readonly lane: number;
  readonly origin: string;
  readonly signer: Pick<Signer, "name" | "signLine">;
  readonly books: () => AuditState | undefined;
  readonly history: () => KeyHistory | undefined;
  readonly send: (topic: string, value: string) => Promise<void>;
  readonly clock: () => number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
};

/** Sends the cuts that are due. @param told what was warned of already @returns how many */
export const cutDue = async (deps: SchedulerDeps, told = new Set<string>()): Promise<number> => {
  const { lane, origin, signer, clock } = deps;
  const state = deps.books();
  const history = deps.history();
  const keys = history?.states.at(-1);
  if (state === undefined || history === undefined || keys === undefined) return 0;
  let sent = 0;
  for (const { corridor, schedule, schedulerKey } of keys.corridors.values()) {
    if (schedule === undefined || schedulerKey?.name !== signer.name) continue;
    const dueMs = lastDueCut(schedule, clock());
    // What was due before the schedule was first registered is not caught up on.
    const firstAt = history.states.findIndex(({ corridors }) => corridors.has(corridor)) - 1;
    const open = state.settlement.open.get(corridor);
    const sinceMs = Math.max(open?.sinceMs ?? 0, history.times[firstAt] ?? 0);
    if (dueMs === undefined || dueMs <= sinceMs) continue;
    const number = open?.number ?? 0;
    const cut = { corridor, number, due: formatTime(dueMs) };
    const at = { origin, keys, seq: state.next, timeMs: clock() };
    const fault = cutFault(state.settlement, cut, at, { operators: 0, scheduler: true });
    if (fault !== undefined) {
      // The lane would refuse it each time that it is sent: people have to see to it.
      const what = `${corridor}/${number} ${fault.code}`;
      if (!told.has(what)) deps.log.warn({ ...cut, fault }, "a window that is due cannot be cut");
      told.add(what);
      continue;
    }
    const text = statementText(origin, "window-cut", cut);
    const note = composeNote(text, [await signer.signLine(text)]);
    await deps.send(laneTopic(lane), JSON.stringify({ v: 1, kind: "window-cut", note }));
    deps.log.info({ corridor, number, due: formatTime(dueMs) }, "a window is due to be cut");
    sent += 1;
  }
  return sent;
};

/** Looks every `everyMs` until it is stopped; a failure is told and tried again. */
export const runScheduler = async (
  deps: SchedulerDeps,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> => {
  const told = new Set<string>();
  while (!signal.aborted) {
    try {
      await cutDue(deps, told);
    } catch (err) {
      deps.log.warn({ err }, "due windows could not be cut");
    }
    await pause(everyMs, signal);
  }
};
