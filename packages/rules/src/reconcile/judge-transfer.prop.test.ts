// The matcher against a corpus of seeded faults: every fault is found under its name, and nothing else is;
// with either side lagging nothing is said that is not so; and a naive full join, written another way,
// comes to the same at every horizon.
import { transferIdOf } from "@sealane/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fx,
  hk,
  makeCorpus,
  numbersFrom,
  ph,
  seededFaults,
  type Corpus,
  type CorpusLine,
} from "../testing/index.ts";
import { judgeTransfer } from "./judge-transfer.ts";
import type { Finding, Horizon, Leg, LogTransfer, Tolerance } from "./types.ts";

const tolerance: Tolerance = { bookWithinMs: 300_000, decideWithinMs: 600_000 };
const participants = [hk, ph, fx];
const startMs = Date.parse("2026-11-22T00:00:00.000Z");
const outcomes = [
  "committed",
  "committed",
  "committed",
  "committed",
  "rejected",
  "expired",
] as const;

const makeTransfers = (seed: number, count: number): LogTransfer[] => {
  const draw = numbersFrom(seed ^ 0x5ea1);
  let timeMs = startMs;
  return Array.from({ length: count }, (_, seq): LogTransfer => {
    timeMs += 1 + draw(20_000);
    const outcome = outcomes[draw(outcomes.length)] ?? "committed";
    const id = transferIdOf(hk, `${seed} ${seq}`);
    const send = BigInt(10_000 + draw(1_000_000));
    const fee = BigInt(draw(3) === 0 ? 0 : 100 + draw(400));
    const got = BigInt(70_000 + draw(5_000_000));
    // Sent fixed: the received side is rounded; received fixed: the sent one; or nothing is.
    const off = [
      [0n, 1n],
      [-1n, 0n],
      [0n, 0n],
    ][draw(3)] as [bigint, bigint];
    const leg = (
      who: string,
      side: Leg["side"],
      currency: string,
      minor: bigint,
      more = {},
    ): Leg => ({
      participant: who,
      side,
      currency,
      minor,
      feeMinor: 0n,
      residue: currency === "HKD" ? off[0] : off[1],
      ...more,
    });
    const legs = [
      leg(hk, "debit", "HKD", send, { feeMinor: fee }),
      leg(fx, "credit", "HKD", send - fee),
      leg(fx, "debit", "PHP", got),
      leg(ph, "credit", "PHP", got),
    ];
    return { id, seq, timeMs, outcome, legs: outcome === "committed" ? legs : [] };
  });
};

type Sides = { readonly transfers: readonly LogTransfer[]; readonly lines: readonly CorpusLine[] };

/** What is known at a horizon. */
const seenAt = (transfers: readonly LogTransfer[], corpus: Corpus, horizon: Horizon): Sides => ({
  transfers: transfers.filter(({ timeMs }) => timeMs <= horizon.logTimeMs),
  lines: corpus.lines.filter(
    ({ bookedAtMs }) => bookedAtMs < horizon.walletUntilMs && bookedAtMs >= horizon.walletFromMs,
  ),
});

const keyOf = (participant: string, id: string, { kind }: Finding): string =>
  `${participant} ${id} ${kind}`;

const judgeAll = ({ transfers, lines }: Sides, horizon: Horizon): string[] => {
  const logs = new Map(transfers.map((one) => [one.id, one]));
  const books = new Map<string, CorpusLine[]>();
  for (const participant of participants) {
    for (const { id } of transfers) books.set(`${participant} ${id}`, []);
  }
  for (const line of lines) {
    const key = `${line.participant} ${line.transfer}`;
    books.set(key, [...(books.get(key) ?? []), line]);
  }
  const found = [...books].flatMap(([key, own]) => {
    const [participant = "", id = ""] = key.split(" ");
    const sides = { participant, log: logs.get(id), lines: own };
    const { findings } = judgeTransfer(sides, horizon, tolerance);
    return findings.map((one) => keyOf(participant, id, one));
  });
  return found.toSorted();
};

/** Every way to give lines to legs: the cheapest, and of those the one with the earliest lines. */
const assign = (legs: readonly Leg[], lines: readonly CorpusLine[]): (CorpusLine | undefined)[] => {
  const cost = (leg: Leg, line: CorpusLine): number => {
    if (leg.side !== line.side) return 1e9;
    if (leg.currency !== line.currency) return 1e4;
    return leg.minor === line.minor ? 0 : 1e2;
  };
  let best: { cost: number; given: (CorpusLine | undefined)[] } = { cost: Infinity, given: [] };
  const go = (at: number, given: (CorpusLine | undefined)[], sum: number): void => {
    const leg = legs[at];
    if (leg === undefined) {
      if (sum < best.cost) best = { cost: sum, given };
      return;
    }
    lines.forEach((line, index) => {
      if (given.includes(line)) return;
      go(at + 1, [...given, line], sum + cost(leg, line) + index / 1e3);
    });
    go(at + 1, [...given, undefined], sum + 1e6);
  };
  go(0, [], 0);
  return best.given;
};

const naiveMoney = (leg: Leg, line: CorpusLine): string[] => {
  if (line.currency !== leg.currency) return ["currency"];
  const [off, fee] = [line.minor - leg.minor, (line.feeMinor ?? leg.feeMinor) - leg.feeMinor];
  const unsaid = line.feeMinor === undefined && leg.feeMinor > 0n;
  if (unsaid && off === -leg.feeMinor) return ["fee"];
  const kinds = fee === 0n ? [] : ["fee"];
  if (off === 0n || (fee !== 0n && off === fee)) return kinds;
  return [...kinds, off === leg.residue ? "fx-residue" : "amount"];
};

const naiveKinds = (legs: Leg[], all: CorpusLine[], log: LogTransfer | undefined, at: Horizon) => {
  const kinds: string[] = [];
  const covered = (dueMs: number): boolean =>
    at.walletUntilMs >= dueMs && (log === undefined || (at.walletPosition ?? Infinity) > log.seq);
  const text = (line: CorpusLine): string => `${line.side}${line.currency}${line.minor}`;
  const takenBack = all.filter(({ status }) => status === "reversed").map(text);
  let lines = all.filter(({ status }) => status === "booked");
  lines.sort((a, b) => a.bookedAtMs - b.bookedAtMs || (a.reference < b.reference ? -1 : 1));
  for (const gone of takenBack) {
    const last = lines.findLast((line) => text(line) === gone);
    lines = lines.filter((line) => line !== last);
  }
  if (log === undefined) {
    const due = lines.filter((line) => at.logTimeMs >= line.bookedAtMs + tolerance.decideWithinMs);
    return due.map(() => "missing-at-ledger");
  }
  if (log.outcome !== "committed") {
    const due = lines.filter((line) =>
      covered(Math.max(log.timeMs, line.bookedAtMs) + tolerance.bookWithinMs),
    );
    return due.map(() => "status");
  }
  const given = assign(legs, lines);
  for (const line of lines) {
    if (given.includes(line)) continue;
    kinds.push(legs.some(({ side }) => side === line.side) ? "duplicate" : "missing-at-ledger");
  }
  legs.forEach((leg, index) => {
    const line = given[index];
    if (line === undefined) {
      if (!covered(log.timeMs + tolerance.bookWithinMs)) return;
      if (log.timeMs < at.walletFromMs + tolerance.decideWithinMs) return;
      const begun = all.some(({ side, status }) => side === leg.side && status !== "booked");
      kinds.push(begun ? "status" : "missing-at-wallet");
      return;
    }
    if (line.bookedAtMs > log.timeMs + tolerance.bookWithinMs) kinds.push("late");
    kinds.push(...naiveMoney(leg, line));
  });
  return kinds;
};

/** Every line against every transfer, for every participant: no index, no memory. */
const naive = ({ transfers, lines }: Sides, horizon: Horizon): string[] => {
  const ids = [...new Set([...transfers.map(({ id }) => id), ...lines.map((one) => one.transfer)])];
  return participants
    .flatMap((participant) =>
      ids.flatMap((id) => {
        const log = transfers.find((one) => one.id === id);
        const legs = (log?.legs ?? []).filter((leg) => leg.participant === participant);
        const own = lines.filter((l) => l.transfer === id && l.participant === participant);
        return naiveKinds(legs, own, log, horizon).map((kind) => `${participant} ${id} ${kind}`);
      }),
    )
    .toSorted();
};

const caseOf = (seed: number, count = 60) => {
  const transfers = makeTransfers(seed, count);
  const corpus = makeCorpus({ seed, transfers, participants, ghosts: 4, tolerance });
  const lastMs = transfers.at(-1)?.timeMs ?? startMs;
  const whole: Horizon = {
    logTimeMs: lastMs + 3_600_000,
    walletFromMs: startMs - 3_600_000,
    walletUntilMs: lastMs + 3_600_000,
    walletPosition: undefined,
  };
  return { transfers, corpus, whole, lastMs };
};

describe("a corpus of seeded faults", () => {
  test("is classified without a miss or a false alarm, and has every fault in it", () => {
    const seeded = new Set<string>();
    for (let seed = 1; seed <= 60; seed += 1) {
      const { transfers, corpus, whole } = caseOf(seed);
      expect(judgeAll(seenAt(transfers, corpus, whole), whole)).toEqual(corpus.expected);
      for (const fault of corpus.seeded.keys()) seeded.add(fault);
    }
    expect(seeded).toEqual(new Set(seededFaults));
  });

  type Lag = { log: number; wallet: number; from: number; position: number | undefined };
  const horizonOf = (lastMs: number, { log, wallet, from, position }: Lag): Horizon => {
    const spanMs = lastMs - startMs + 1_000_000;
    const at = (part: number): number => startMs + Math.floor(spanMs * part);
    return {
      logTimeMs: at(log),
      walletFromMs: at(from),
      walletUntilMs: at(wallet),
      walletPosition: position,
    };
  };
  const lagging = fc.record({
    seed: fc.nat(),
    log: fc.double({ min: 0, max: 1.3, noNaN: true }),
    wallet: fc.double({ min: 0, max: 1.3, noNaN: true }),
    from: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
    position: fc.option(fc.nat(60), { nil: undefined }),
  });

  test("gives what a naive full join gives, however far each side has come", () => {
    fc.assert(
      fc.property(lagging, ({ seed, ...at }) => {
        const { transfers, corpus, lastMs } = caseOf(seed, 40);
        const horizon = horizonOf(lastMs, at);
        const sides = seenAt(transfers, corpus, horizon);
        expect(judgeAll(sides, horizon)).toEqual(naive(sides, horizon));
      }),
      { numRuns: 150 },
    );
  });

  test("while a side lags, says nothing that is not so once it is here", () => {
    fc.assert(
      fc.property(lagging, ({ seed, ...at }) => {
        const { transfers, corpus, lastMs } = caseOf(seed, 40);
        const horizon = horizonOf(lastMs, at);
        const told = judgeAll(seenAt(transfers, corpus, horizon), horizon);
        for (const one of told) {
          // What comes after its time was missing until then, and is late for good.
          const [participant = "", id = "", kind = ""] = one.split(" ");
          const late = kind === "missing-at-wallet" ? [`${participant} ${id} late`] : [];
          expect([one, ...late].some((key) => corpus.expected.includes(key))).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});
