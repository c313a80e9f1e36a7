// The trend that the growth benchmark prints, on figures whose answer is known.
import { expect, test } from "vitest";
import { trendOf } from "./growth.ts";

test("a straight line has its slope and no uncertainty", () => {
  expect(trendOf([90, 95, 100, 105, 110])).toEqual({ slope: 20, uncertainty: 0 });
});

test("figures that do not move have no trend", () => {
  expect(trendOf([3, 3, 3, 3])).toEqual({ slope: 0, uncertainty: 0 });
});

test("noise without a trend is wider than the trend it seems to have", () => {
  const { slope, uncertainty } = trendOf([2.7, 2.9, 2.75, 2.85, 2.7, 2.9, 2.8, 2.8, 2.75, 2.85]);
  expect(Math.abs(slope)).toBeLessThan(uncertainty);
});
