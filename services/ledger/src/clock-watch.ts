// Whether our clock can be trusted: held against the timestamps of the witnesses' cosignatures, carried on
// by the monotonic clock, so that a wall clock that jumps is seen at once. More than 2 s off a quorum:
// nothing is reserved, and log time goes no further than what a quorum's cosignatures will bear out.
import { isQuorumMet, type TlogPolicy } from "@sealane/tlog";
import { pause } from "@sealane/runtime";
import type { Checkpoint, GrowthReader, WitnessClient } from "./witness-client.ts";

/** A witness's clock less our monotonic one: at least, at most. */
type Sighting = { readonly lowMs: number; readonly highMs: number };

type Deps = {
  readonly policy: TlogPolicy;
  readonly toleranceMs: number;
  /** The wall clock, ms since 1970. */
  readonly wall: () => number;
  /** A clock that only goes forward, ms. */
  readonly mono: () => number;
};

/** Cosignatures count whole seconds. */
const secondMs = 999;
const calmMs = 30_000;
const anxiousMs = 1_000;

export type ClockWatch = ReturnType<typeof makeClockWatch>;

export const makeClockWatch = ({ policy, toleranceMs, wall, mono }: Deps) => {
  /** Of each witness, by its name in the policy. */
  const offsets = new Map<string, Sighting>();

  /**
   * Takes the time of a cosignature, which was made between two moments of the monotonic clock.
   * @param timeMs whole seconds
   */
  const observe = (
    witness: string,
    timeMs: number,
    sentMono: number,
    receivedMono: number,
  ): void => {
    offsets.set(witness, {
      lowMs: timeMs - receivedMono,
      highMs: timeMs + secondMs - sentMono,
    });
  };

  const names = (fits: (sighting: Sighting | undefined) => boolean): Set<string> =>
    new Set(policy.witnesses.map(({ name }) => name).filter((name) => fits(offsets.get(name))));

  const known = (): boolean =>
    isQuorumMet(
      policy,
      names((sighting) => sighting !== undefined),
    );

  /**
   * The latest time that a quorum's next cosignatures will surely bear out: they count whole seconds, so
   * up to one less than what their clocks show. Never earlier than true time less one answer's way.
   */
  const latestMs = (): number => {
    const limits = [...offsets.values()].map(({ lowMs }) => lowMs).toSorted((a, b) => b - a);
    const limit = limits.find((candidate) =>
      isQuorumMet(
        policy,
        names((sighting) => (sighting?.lowMs ?? -Infinity) >= candidate),
      ),
    );
    return limit === undefined ? Infinity : limit + mono() + toleranceMs - secondMs;
  };

  /** Ours less a witness's, ms; 0 while it cannot be told. */
  const differenceMs = ({ lowMs, highMs }: Sighting): number => {
    const now = wall() - mono();
    if (now > highMs) return now - highMs;
    return now < lowMs ? now - lowMs : 0;
  };

  /** The smallest difference that a quorum of witnesses agrees on, signed; 0 when all is well. */
  const offMs = (): number => {
    const all = [...offsets.values()]
      .map(differenceMs)
      .toSorted((a, b) => Math.abs(a) - Math.abs(b));
    const within = (limit: number): boolean =>
      isQuorumMet(
        policy,
        names((sighting) => sighting !== undefined && Math.abs(differenceMs(sighting)) <= limit),
      );
    return all.find((difference) => within(Math.abs(difference))) ?? 0;
  };

  const trouble = (): string | undefined => {
    if (!known()) return "too few witnesses have told the time";
    const off = Math.round(offMs());
    if (Math.abs(off) <= toleranceMs) return undefined;
    return `the clock is ${Math.abs(off)} ms ${off > 0 ? "ahead of" : "behind"} the witnesses'`;
  };

  return {
    observe,
    known,
    trouble,
    offMs,
    /** The time for the lane: the wall clock, but never later than a quorum will bear out. */
    clock: (): number => Math.floor(Math.min(wall(), latestMs())),
    /** The same client, whose cosignatures tell the time. */
    listen: (witness: WitnessClient): WitnessClient => ({
      ...witness,
      cosign: async (checkpoint, tree) => {
        const sent = mono();
        const answer = await witness.cosign(checkpoint, tree);
        if (answer.outcome === "cosigned") {
          observe(witness.name, answer.cosignature.timeMs, sent, mono());
        }
        return answer;
      },
    }),
    /**
     * Asks for the time anew, by cosignatures on a checkpoint that the witnesses have: now and then
     * while all is well, each second while it is not. Without it a lane that rests would never learn
     * that its clock is right again.
     */
    run: async (
      witnesses: readonly WitnessClient[],
      checkpoint: () => Checkpoint | undefined,
      tree: GrowthReader,
      signal: AbortSignal,
    ): Promise<void> => {
      let askedMono = -Infinity;
      while (!signal.aborted) {
        const dueMs = trouble() === undefined ? calmMs : anxiousMs;
        const newest = checkpoint();
        if (newest !== undefined && mono() - askedMono >= dueMs) {
          askedMono = mono();
          await Promise.all(witnesses.map((witness) => witness.cosign(newest, tree)));
        }
        await pause(250, signal);
      }
    },
    /** Resolves when a quorum has told the time: before, no batch has a log time to go by. */
    whenKnown: async (signal: AbortSignal): Promise<void> => {
      while (!known() && !signal.aborted) await pause(20, signal);
    },
  };
};
