// When a corridor's windows are due to be cut: local times in a time zone, on weekdays that are a
// holiday on neither side. Only who cuts needs this. No verifier does: time-zone data change, and a
// window is where its cut stands in the log.
import type { CorridorRecord } from "@sealane/protocol";

type Schedule = NonNullable<CorridorRecord["schedule"]>;

const dayMs = 86_400_000;
/** No calendar has more days in a row without business. */
const mostDaysBack = 31;

const formats = new Map<string, Intl.DateTimeFormat>();

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const digits = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
  const made = new Intl.DateTimeFormat("en-CA", { timeZone, ...digits, ...time });
  formats.set(timeZone, made);
  return made;
};

/** What a clock on the wall there shows, as if it were UTC, in ms. */
const wallMs = (timeZone: string, atMs: number): number => {
  const parts = formatOf(timeZone).formatToParts(atMs);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const [year, month, day] = [of("year"), of("month"), of("day")];
  return Date.UTC(year, month - 1, day, of("hour"), of("minute"), of("second"));
};

/**
 * The instant at which a clock there shows this. Where the clock is put forward over it, the instant
 * after; where it shows it twice, the first.
 */
const instantOf = (timeZone: string, wall: number): number => {
  const before = wall - (wallMs(timeZone, wall - dayMs) - (wall - dayMs));
  if (wallMs(timeZone, before) === wall) return before;
  const after = wall - (wallMs(timeZone, wall + dayMs) - (wall + dayMs));
  return wallMs(timeZone, after) === wall ? after : before;
};

/** Whether this is an IANA time zone that this machine knows. */
export const isTimeZone = (timeZone: string): boolean => {
  try {
    formatOf(timeZone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

const isBusinessDay = ({ weekdays, holidays }: Schedule, dayWallMs: number): boolean => {
  const weekday = new Date(dayWallMs).getUTCDay();
  const date = new Date(dayWallMs).toISOString().slice(0, 10);
  if (!weekdays.includes(weekday === 0 ? 7 : weekday)) return false;
  return !holidays.some(({ dates }) => dates.includes(date));
};

const wallOf = (dayWallMs: number, time: string): number => {
  const [hours, minutes] = time.split(":").map(Number);
  return dayWallMs + ((hours ?? 0) * 60 + (minutes ?? 0)) * 60_000;
};

/**
 * The newest instant at or before `nowMs` at which a cut is due, ms; undefined when there was none in
 * the last month.
 * @example lastDueCut({ timeZone: "Asia/Hong_Kong", times: ["17:00"], weekdays: [1], holidays: [] }, now)
 */
export const lastDueCut = (schedule: Schedule, nowMs: number): number | undefined => {
  const { timeZone, times } = schedule;
  const today = Math.floor(wallMs(timeZone, nowMs) / dayMs) * dayMs;
  for (let back = 0; back <= mostDaysBack; back += 1) {
    const day = today - back * dayMs;
    if (!isBusinessDay(schedule, day)) continue;
    const due = times
      .map((time) => instantOf(timeZone, wallOf(day, time)))
      .filter((atMs) => atMs <= nowMs);
    if (due.length > 0) return Math.max(...due);
  }
  return undefined;
};
