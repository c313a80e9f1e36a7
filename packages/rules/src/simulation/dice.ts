// Chance that is the same in every run of a seed. Each purpose has a stream of its own, so that a fault
// that is switched off does not change when the others happen: that is what makes a failure shrink.

export type Dice = {
  /** 0 to 1, exclusive. */
  readonly float: () => number;
  /** 0 to `below`, exclusive. */
  readonly int: (below: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(list: readonly T[]) => T;
};

const hashOf = (seed: number, stream: string): number => {
  let hash = seed >>> 0;
  for (let at = 0; at < stream.length; at += 1) {
    hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193) >>> 0;
  }
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
};

/** A small generator (mulberry32): good enough to choose faults by, and fast. */
export const makeDice = (seed: number, stream: string): Dice => {
  let state = hashOf(seed, stream);
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (below: number): number => Math.floor(float() * below);
  return {
    float,
    int,
    chance: (probability) => float() < probability,
    pick: <T>(list: readonly T[]): T => list[int(list.length)] as T,
  };
};
