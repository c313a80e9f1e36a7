// The system that a scripted day runs on: the day's world as processes, its settlement bank, a client for
// each wallet, and the desk as an approver reads it.
import { readFileSync } from "node:fs";
import { adapterClient, type AdapterClient } from "@sealane/client";
import {
  dayWorld,
  sendFirstLiquidity,
  startStack,
  startStackBank,
  writeKeyLogFile,
  type Ports,
  type Stack,
} from "@sealane/infra";
import type { Tolerance } from "@sealane/rules";

export type DayBank = Awaited<ReturnType<typeof startStackBank>>;
export type DayWallet = (typeof dayWorld.wallets)[number];

export type DaySystem = {
  readonly stack: Stack;
  readonly bank: DayBank;
  readonly startedMs: number;
  clientOf(wallet: DayWallet): AdapterClient;
  /** What reconciliation answers to an approver. @throws when it is not 200 */
  ask<T>(path: string): Promise<T>;
  stop(): Promise<void>;
};

/** A day lasts minutes here, so what providers have time for lasts seconds. */
export const dayTolerance: Tolerance = { bookWithinMs: 3_000, decideWithinMs: 5_000 };

export type DayOptions = {
  readonly dir: string;
  readonly ports: Ports;
  readonly console: boolean;
  readonly onStep: (step: string) => void;
};

export const walletOf = (participant: string): DayWallet => {
  const found = dayWorld.wallets.find((one) => one.participant === participant);
  if (found === undefined) throw new Error(`${participant} is no wallet of the day`);
  return found;
};

const text = (path: string): string => readFileSync(path, "utf8").trim();

/** Starts all of it, with the day's first liquidity on the log. */
export const startDay = async (options: DayOptions): Promise<DaySystem> => {
  const startedMs = Date.now();
  const stack = await startStack({
    ...options,
    world: dayWorld,
    traceRatio: 0.01,
    env: {
      SEALANE_BREAK_BOOK_WITHIN: `${dayTolerance.bookWithinMs}ms`,
      SEALANE_BREAK_DECIDE_WITHIN: `${dayTolerance.decideWithinMs}ms`,
    },
  });
  try {
    options.onStep("first liquidity, and the settlement bank");
    await sendFirstLiquidity(stack.home, stack.brokers, dayWorld.liquidity);
    await writeKeyLogFile(stack.home, stack.urls["ledger"] ?? "");
    const bank = await startStackBank(stack.home, 0, dayWorld);
    const clients = new Map(
      dayWorld.wallets.map(({ name }) => {
        const token = text(stack.home.keys(name, "api.token"));
        return [name, adapterClient({ baseUrl: stack.urls[name] ?? "", token })];
      }),
    );
    const approver = text(stack.home.keys("bob", "staff.token"));
    return {
      stack,
      bank,
      startedMs,
      clientOf: ({ name }) => clients.get(name) as AdapterClient,
      ask: async <T>(path: string): Promise<T> => {
        const response = await fetch(`${stack.urls["reconciliation"] ?? ""}${path}`, {
          headers: { Authorization: `Bearer ${approver}` },
          signal: AbortSignal.timeout(15_000),
        });
        if (response.ok) return (await response.json()) as T;
        throw new Error(`${path}: ${response.status} ${await response.text()}`);
      },
      stop: async () => {
        await bank.close();
        await stack.stop();
      },
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
};
