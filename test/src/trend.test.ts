// Lines through figures whose answer is known.
import { expect, test } from "vitest";
import { fitLine } from "./trend.ts";

const line = (from: number, level: number, slope: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ x: from + at, y: level + slope * at }));

test("one straight line has its slope and no uncertainty", () => {
  expect(fitLine([line(3, 10, 2, 5)])).toEqual({ mean: 14, slope: 2, uncertainty: 0, points: 5 });
});

test("series on other levels share a slope: a restart is no step", () => {
  const { slope, uncertainty } = fitLine([line(0, 500, 1, 6), line(9, 20, 1, 4), []]);
  expect(slope).toBeCloseTo(1, 12);
  expect(uncertainty).toBeCloseTo(0, 12);
});

test("a saw without growth has a slope within its uncertainty", () => {
  const saw = Array.from({ length: 20 }, (_, x) => ({ x, y: 100 + (x % 2) * 8 }));
  const { slope, uncertainty } = fitLine([saw]);
  expect(Math.abs(slope)).toBeLessThan(uncertainty);
});

test("two points are no evidence", () => {
  expect(fitLine([line(0, 1, 1, 2)]).uncertainty).toBeNaN();
});
