import { expect, test } from "vitest";
import { makeDoor } from "./door.ts";

/** A port that is free, or not, and what was done to it. */
const makePort = () => {
  const done: string[] = [];
  let taken = false;
  return {
    done,
    take: (isTaken: boolean): void => void (taken = isTaken),
    open: () => {
      done.push(taken ? "refused" : "open");
      if (taken) return Promise.reject(new Error("EADDRINUSE"));
      return Promise.resolve({ close: () => Promise.resolve(void done.push("closed")) });
    },
  };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("opens when the lane is held, also after it was told that it is not", async () => {
  const port = makePort();
  const door = makeDoor({ open: port.open, onError: () => undefined });
  door.want(false);
  await turn();
  door.want(true);
  await turn();
  expect(port.done).toEqual(["open"]);
  door.want(false);
  await turn();
  expect(port.done).toEqual(["open", "closed"]);
  door.want(true);
  await turn();
  await door.close();
  expect(port.done).toEqual(["open", "closed", "open", "closed"]);
});

test("tries a port that is not free again, and complains once", async () => {
  const port = makePort();
  const errors: unknown[] = [];
  const door = makeDoor({ open: port.open, onError: (error) => errors.push(error) });
  port.take(true);
  door.want(true);
  await turn();
  port.take(false);
  await expect.poll(() => port.done.at(-1)).toBe("open");
  expect(errors).toHaveLength(1);
  await door.close();
});

test("a single lane's door says at once when its port is taken", async () => {
  const port = makePort();
  port.take(true);
  const door = makeDoor({ open: port.open, onError: () => undefined });
  await expect(door.open()).rejects.toThrow("EADDRINUSE");
});
