// Whether a lane decides an id: by its slot, by what is open in other lanes, by what ended elsewhere.
import { slotOf } from "@sealane/protocol";
import type { KeyState } from "./key-state.ts";
import type { KnownTransfer, LaneState } from "./lane-state.ts";
import { decidesSlot, heldElsewhere } from "./settlement/slots.ts";

type Asked = { readonly state: LaneState; readonly keys: KeyState };

/** Whether this lane decides an id that it has not seen: its slot is here, and it is open nowhere else. */
export const laneServes = ({ state, keys }: Asked, id: string): boolean => {
  const { settlement, origin } = state;
  if (heldElsewhere(settlement, id) !== undefined) return false;
  return decidesSlot(settlement, keys, origin, slotOf(id));
};

/** The lane that ended an id, where it was another: its entry is not in this log. */
export const endedElsewhere = (
  { state }: Pick<Asked, "state">,
  ended: KnownTransfer | undefined,
): number | undefined => (ended?.lane === state.lane ? undefined : ended?.lane);

/** Whether an id was decided here, wherever its slot is now, or is this lane's to decide. */
export const isOurs = (
  asked: Asked & { readonly known: ReadonlyMap<string, KnownTransfer> },
  id: string,
): boolean => {
  if (asked.state.open.has(id)) return true;
  const ended = asked.known.get(id);
  const here = ended !== undefined && endedElsewhere(asked, ended) === undefined;
  return here || laneServes(asked, id);
};
