// Finding the sheet that a transfer cites, backwards through a log's bundles.
import { noteHash } from "@sealane/protocol";
import { makeFundedWorld, takeApart } from "@sealane/rules/testing";
import { describe, expect, test } from "vitest";
import { findSheet } from "./key-log-file.ts";
import type { LogReader } from "./log-reader.ts";

const readerOf = (entries: readonly string[]) => {
  const asked: [number, number][] = [];
  const unused = () => Promise.reject(new Error("not asked for"));
  const reader: LogReader = {
    checkpoint: unused,
    fetch: unused,
    entries: (from, to) => {
      asked.push([from, to]);
      return Promise.resolve(entries.slice(from, to));
    },
  };
  return { reader, asked };
};

/** 2: sheet 1; 3: a transfer; 4: sheet 2; 5: a transfer. */
const makeLog = () => {
  const world = makeFundedWorld();
  const first = world.sheet().note;
  world.transfer({ key: "a" });
  world.publishSheet({ rate: "7.5" });
  world.transfer({ key: "b" });
  return { entries: world.entries, first, second: world.sheet().note };
};

describe("a cited sheet", () => {
  test("is found as the note that was signed, whichever was newest", async () => {
    const { entries, first, second } = makeLog();
    const { reader } = readerOf(entries);
    expect(await findSheet(reader, noteHash(first), 5)).toBe(first);
    expect(await findSheet(reader, noteHash(second), 5)).toBe(second);
    expect(takeApart(entries[4] as string).inner).toBe(second);
  });

  test("is not looked for after the entry that cites it", async () => {
    const { entries, second } = makeLog();
    expect(await findSheet(readerOf(entries).reader, noteHash(second), 3)).toBeUndefined();
  });

  test("is looked for in whole bundles, newest first, down to the beginning", async () => {
    const { entries, first } = makeLog();
    const filler = Array.from({ length: 600 }, () => entries[0] as string);
    const { reader, asked } = readerOf([...entries.slice(0, 3), ...filler]);
    expect(await findSheet(reader, noteHash(first), 600)).toBe(first);
    expect(asked).toEqual([
      [512, 600],
      [256, 512],
      [0, 256],
    ]);
  });
});
