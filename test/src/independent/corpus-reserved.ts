// Logs whose every hash and signature fits, in which a transfer cannot have been reserved as it says:
// under a sheet that had ended, was withdrawn or was used up, or by somebody who was suspended.
import { formatTime } from "@sealane/protocol";
import {
  hk,
  lineOf,
  makeFundedWorld,
  makeWorld,
  putTogether,
  say,
  takeApart,
  testKeys,
  type Piece,
  type World,
} from "@sealane/rules/testing";
import { composeNote } from "@sealane/tlog";

export type ReservedCase = {
  readonly what: string;
  readonly world: World;
  readonly entries: readonly string[];
  /** Undefined where the log stands: the case next to it is the first that does not. */
  readonly position: number | undefined;
};

const bothSigned = (text: string): string =>
  composeNote(text, [lineOf(testKeys.hk, text), lineOf(testKeys.ph, text)]);

/** A transfer that is reserved, then its sheet ends, then it is accepted: terms that name another time. */
const afterItsEnd = (
  what: string,
  end: (world: World) => void,
  lastsMs: number,
): ReservedCase[] => {
  const world = makeFundedWorld();
  world.run([], { atMs: world.nowMs() + 100_000 });
  const late = world.intent({ key: "late" });
  world.run([late]);
  end(world); // 3
  const endedMs = world.nowMs() + lastsMs;
  world.run([world.accept(late.body.id)], { atMs: world.nowMs() + 3_000 }); // 4
  const pieces = world.entries.map(takeApart);
  const reservedAt = (atMs: number): string[] => {
    const expiresAt = formatTime(atMs + 300_000);
    const { text } = say.intent(world.keys(), { ...late.body, expiresAt });
    const last = { ...(pieces[4] as Piece), inner: bothSigned(text) };
    return putTogether([...pieces.slice(0, 4), last]);
  };
  return [
    {
      what: `${what}: reserved just before`,
      world,
      entries: reservedAt(endedMs),
      position: undefined,
    },
    { what, world, entries: reservedAt(endedMs + 1), position: 4 },
  ];
};

const usedUp = (): ReservedCase => {
  const world = makeWorld();
  world.fund();
  world.publishSheet({ totalPerLane: "1500.00" });
  world.transfer({ key: "first" });
  const sheet = [...world.state.sheets.values()][0]?.[0];
  if (sheet !== undefined) sheet.usedMinor = 0n;
  world.transfer({ key: "second" });
  return { what: "a sheet used beyond its total", world, entries: world.entries, position: 4 };
};

const suspended = (who: string): ReservedCase => {
  const world = makeFundedWorld();
  const body = { participant: who, suspended: true, reason: "x" };
  world.keyLog.log("suspension", body, [testKeys.alice], world.nowMs());
  world.run([], { atMs: world.nowMs() + 303_000 });
  const { text } = say.intent(world.keys(), world.terms());
  const like = makeFundedWorld();
  like.transfer();
  const { size, roots } = world.keyLog.history();
  const keys = { size, root: roots[size] ?? "" };
  const model = takeApart(like.entries[3] ?? "").context;
  const context = { ...model, keys, time: formatTime(world.nowMs()) };
  const pieces = [...world.entries.map(takeApart), { context, inner: bothSigned(text) }];
  const what = `a reservation while ${who} was suspended`;
  return { what, world, entries: putTogether(pieces), position: 3 };
};

/** Of a pair two sheets can be withdrawn, however long the older one is over; no third one can. */
const withdrawnLate = (): ReservedCase[] => {
  const world = makeFundedWorld(); // 2: the first sheet
  const first = world.sheet().body;
  const later = (): number => world.nowMs() + 7_200_000;
  world.publishSheet({}, later()); // 3
  const back = { pair: { from: "PHP", to: "HKD" }, rate: "0.13" };
  world.run([say.rateSheet(world.keys(), say.makeSheet(back, world.nowMs()))]); // 4
  world.run([say.rateWithdrawal(world.keys(), first)]); // 5
  const stands = [...world.entries];
  world.publishSheet({}, later());
  const pieces = world.entries.map(takeApart);
  const [withdrawal, third] = pieces.slice(5) as [Piece, Piece];
  const context = { ...withdrawal.context, time: third.context.time };
  const entries = putTogether([...pieces.slice(0, 5), third, { ...withdrawal, context }]);
  return [
    { what: "a sheet withdrawn that was over", world, entries: stands, position: undefined },
    { what: "a sheet withdrawn of which there were two newer ones", world, entries, position: 6 },
  ];
};

export const reservedCases = (): ReservedCase[] => [
  ...afterItsEnd(
    "under a sheet that another has replaced",
    (world) => {
      world.publishSheet({ rate: "7.3" });
    },
    1_999,
  ),
  ...afterItsEnd(
    "under a sheet that was withdrawn",
    (world) => {
      world.run([say.rateWithdrawal(world.keys(), world.sheet().body)]);
    },
    0,
  ),
  ...withdrawnLate(),
  usedUp(),
  suspended(hk),
  suspended("fx-desk.example"),
];
