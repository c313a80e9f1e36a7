// Which checkpoints the operator's own services are told: one now and then, not one for each batch, and in
// the end the last of a burst.
import { entriesMessages, type Outgoing } from "./publisher.ts";
import type { Sealed } from "./sealer.ts";

const everyMs = 250;

export const makeCheckpointTeller = (lane: number) => {
  let toldMs = 0;
  let kept: Sealed | undefined;

  const tell = ({ checkpoint, note }: Sealed, nowMs: number): Outgoing[] => {
    toldMs = nowMs;
    kept = undefined;
    return entriesMessages(lane, checkpoint.size, [], note);
  };

  return {
    /** A new seal: told with it, or kept until it is due or replaced. */
    take: (seal: Sealed, nowMs: number): Outgoing[] => {
      if (nowMs - toldMs >= everyMs) return tell(seal, nowMs);
      kept = seal;
      return [];
    },
    /** The one that was kept, when it is due. */
    owed: (nowMs: number): Outgoing[] | undefined =>
      kept === undefined || nowMs - toldMs < everyMs ? undefined : tell(kept, nowMs),
  };
};
