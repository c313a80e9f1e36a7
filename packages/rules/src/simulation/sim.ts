// What all parts of a run share: its clock, its dice, its faults, and how it fails.
import type { KeyState } from "../key-state.ts";
import type { KeysCited } from "../batch-outcome.ts";
import { origin } from "../testing/genesis.ts";
import { verifyEntry, type EntryResult, type VerifiedEntry } from "../verify-entry.ts";
import { makeDice, type Dice } from "./dice.ts";
import { allStories, beginMs, type Story } from "./script.ts";
import { stubJudge } from "./stub-keys.ts";

export const faults = [
  /** A process dies between two of its steps, and begins again from what it had stored. */
  "crash",
  /** A writer stands still for long; another takes the lane; then it goes on. */
  "pause",
  /** A commit's answer is lost: it may have been made or not. */
  "unknown-commit",
  /** A clock jumps, forward or back. */
  "clock",
  /** A producer is not told that its record was taken, and sends it again. */
  "duplicate",
  /** A record is on its way for long, and others overtake it. */
  "reorder",
  /** A record of a producer is lost without an answer, or a published message after it. */
  "loss",
  /** A reader is given again what it has read. */
  "redeliver",
  /** Too few witnesses answer, for a while. */
  "witness",
  /** Signatures that do not count, and old statements sent again. */
  "forgery",
] as const;
export type Fault = (typeof faults)[number];

/** A promise was broken: its number in the list of the room's README, and what was seen. */
export class BrokenPromise extends Error {
  readonly promise: number;

  constructor(promise: number, detail: string) {
    super(`promise ${promise}: ${detail}`);
    this.name = "BrokenPromise";
    this.promise = promise;
  }
}

export type Sim = {
  readonly seed: number;
  readonly story: Story;
  /** True time, ms since 1970. */
  now: number;
  /** Faults are over: what is left comes to rest. */
  calm: boolean;
  readonly dice: (stream: string) => Dice;
  /** Whether this fault happens now. */
  readonly hits: (fault: Fault, probability: number) => boolean;
  /** What has happened how often, for reports. */
  readonly counts: Map<string, number>;
  readonly count: (what: string) => void;
  /** The newest state of the key log that a quorum has cosigned. */
  readonly keys: () => { readonly keys: KeyState; readonly cited: KeysCited };
  /** An entry, judged with stub signatures; judged once. */
  readonly verified: (note: string) => VerifiedEntry;
};

const verdicts = (story: Story): Sim["verified"] => {
  const known = new Map<string, EntryResult>();
  return (note) => {
    const checks = { origin, history: story.history, signatures: true, verify: stubJudge };
    const result = known.get(note) ?? verifyEntry(note, checks);
    known.set(note, result);
    if (result.ok) return result.entry;
    throw new BrokenPromise(3, `an entry does not verify: ${result.code} ${result.detail}`);
  };
};

export const makeSim = (seed: number, without: ReadonlySet<Fault>): Sim => {
  const stories = allStories();
  const story = stories[makeDice(seed, "story").int(stories.length)] as Story;
  const streams = new Map<string, Dice>();
  const dice = (stream: string): Dice => {
    const known = streams.get(stream) ?? makeDice(seed, stream);
    streams.set(stream, known);
    return known;
  };
  /** Each run has its own mixture of faults, from none to many. */
  const moods = new Map(
    faults.map((fault) => [fault, dice(`mood ${fault}`).pick([0, 0.3, 1, 1, 3])]),
  );
  const counts = new Map<string, number>();
  const lagMs = dice("key lag").int(1_500);
  const sim: Sim = {
    seed,
    story,
    now: beginMs,
    calm: false,
    dice,
    hits: (fault, probability) => {
      if (sim.calm || without.has(fault)) return false;
      const hit = dice(`fault ${fault}`).chance(probability * (moods.get(fault) ?? 1));
      if (hit) sim.count(fault);
      return hit;
    },
    counts,
    count: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
    keys: () => {
      const { history, begun } = story;
      let size = begun;
      while (size < history.size && (history.times[size] ?? 0) + lagMs <= sim.now) size += 1;
      const keys = history.states[size] as KeyState;
      return { keys, cited: { size, root: history.roots[size] as string } };
    },
    verified: verdicts(story),
  };
  return sim;
};
