// A participant's net that has more legs than an entry takes: cut into parts by whoever writes the log and
// whoever checks it, alike, and put together again by readers. Only a net of several parts says `part`,
// so what was always one entry is the same bytes as ever.
import { mostNetLegs, type WindowNet } from "./settlement.ts";

/** The bodies of a net's entries, in order. @param net whole, with any number of legs */
export const windowNetParts = (net: Omit<WindowNet, "part">): WindowNet[] => {
  const { totals, legs, ...head } = net;
  const of = Math.ceil(legs.length / mostNetLegs);
  if (of <= 1) return [{ ...head, totals, legs }];
  return Array.from({ length: of }, (_, at) => ({
    ...head,
    part: { number: at + 1, of },
    totals: at === 0 ? totals : [],
    legs: legs.slice(at * mostNetLegs, (at + 1) * mostNetLegs),
  }));
};

/** Nets whole again. @param parts of one window, in the log's order */
export const joinNetParts = (parts: readonly WindowNet[]): Omit<WindowNet, "part">[] => {
  const whole = new Map<string, Omit<WindowNet, "part">>();
  for (const { part: _place, ...one } of parts) {
    const before = whole.get(one.participant);
    const joined =
      before === undefined
        ? one
        : {
            ...before,
            totals: [...before.totals, ...one.totals],
            legs: [...before.legs, ...one.legs],
          };
    whole.set(one.participant, joined);
  }
  return [...whole.values()];
};
