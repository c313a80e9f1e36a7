// Due cuts: local times, weekdays, holidays of both sides, and clocks that are put forward and back.
import { describe, expect, test } from "vitest";
import { isTimeZone, lastDueCut } from "./calendar.ts";

const manila = {
  timeZone: "Asia/Manila",
  times: ["12:00", "17:30"],
  weekdays: [1, 2, 3, 4, 5],
  holidays: [
    { calendar: "hk", dates: ["2026-12-25"] },
    { calendar: "ph", dates: ["2026-12-24", "2026-11-30"] },
  ],
};

const at = (schedule: typeof manila, now: string): string | undefined => {
  const due = lastDueCut(schedule, Date.parse(now));
  return due === undefined ? undefined : new Date(due).toISOString();
};

describe("a due cut", () => {
  test.each([
    ["at the minute", "2026-11-23T09:30:00Z", "2026-11-23T09:30:00.000Z"],
    [
      "a millisecond before it, the one before",
      "2026-11-23T09:29:59.999Z",
      "2026-11-23T04:00:00.000Z",
    ],
    [
      "before the first of a day, the day before",
      "2026-11-24T03:00:00Z",
      "2026-11-23T09:30:00.000Z",
    ],
    ["on a Sunday, Friday's", "2026-11-22T12:00:00Z", "2026-11-20T09:30:00.000Z"],
    [
      "on a holiday of one side, the day before",
      "2026-11-30T12:00:00Z",
      "2026-11-27T09:30:00.000Z",
    ],
    ["after holidays of both sides in a row", "2026-12-25T12:00:00Z", "2026-12-23T09:30:00.000Z"],
  ])("%s", (_when, now, due) => {
    expect(at(manila, now)).toBe(due);
  });

  test("that the clock jumps over comes right after, and one that comes twice comes once", () => {
    const berlin = { ...manila, timeZone: "Europe/Berlin", times: ["02:30"], weekdays: [7] };
    expect(at({ ...berlin, holidays: [] }, "2026-03-29T12:00:00Z")).toBe(
      "2026-03-29T01:30:00.000Z",
    );
    expect(at({ ...berlin, holidays: [] }, "2026-10-25T12:00:00Z")).toBe(
      "2026-10-25T00:30:00.000Z",
    );
  });

  test("is none where no day is one of business", () => {
    const never = {
      ...manila,
      weekdays: [3],
      holidays: [{ calendar: "x", dates: ["2026-11-18"] }],
    };
    expect(at(never, "2026-11-18T12:00:00Z")).toBe("2026-11-11T09:30:00.000Z");
    expect(isTimeZone("Asia/Nowhere")).toBe(false);
    expect(isTimeZone("Asia/Manila")).toBe(true);
  });
});
