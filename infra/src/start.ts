// `npm start`: the whole system on this machine, and a first real transfer through its public API. With
// `--once` it ends after that transfer; with `--json` it prints one JSON object a line and nothing else
// on standard output. Everything it started is gone when it ends.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  adapterClient,
  keepForVerifying,
  logUrlOf,
  sendOne,
  type SendResult,
} from "@sealane/client";
import { parsePolicy } from "@sealane/tlog";
import { InfraError } from "./infra-error.ts";
import { writeKeyLogFile } from "./key-log-file.ts";
import { lanesFromEnv } from "./lanes.ts";
import { sendFirstLiquidity } from "./liquidity.ts";
import { startStack, type Stack } from "./stack.ts";
import { makeTalk, type Talk } from "./talk.ts";
import { demoWorld, portsFromEnv, withLanes } from "./world.ts";

const usage = `npm start [-- --once] [-- --json]
  --once  stops after the first sealed transfer
  --json  prints one JSON object a line; progress and faults go to standard error
`;

const readFlags = (): {
  readonly once: boolean;
  readonly json: boolean;
  readonly help: boolean;
} => {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({ options: { once: flag, json: flag, help: flag } }).values;
  } catch (error) {
    process.stderr.write(`sealane: ${error instanceof Error ? error.message : ""}\n${usage}`);
    return process.exit(2);
  }
};

const values = readFlags();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}

const dir = process.env.SEALANE_HOME ?? join(process.cwd(), ".sealane");
const amount = { currency: "HKD", amount: "1000.00" };

type Sealed = Extract<SendResult, { outcome: "sealed" }>;

/** The first transfer, like any core would send it. */
const sendFirst = async (stack: Stack, talk: Talk): Promise<Sealed> => {
  const baseUrl = stack.urls["hk-wallet"] ?? "";
  const token = readFileSync(stack.home.keys("hk-wallet", "api.token"), "utf8").trim();
  const result = await sendOne({
    client: adapterClient({ baseUrl, token }),
    payer: "hk-wallet.example",
    request: {
      payer: { account: "+85290000001" },
      payee: { participant: "ph-wallet.example", account: "+639170000001" },
      amount,
      reference: "first remittance",
    },
    onStep: talk.step,
  });
  if (result.outcome === "sealed") return result;
  throw new Error(`the first transfer was ${result.outcome}: ${result.code} ${result.detail}`);
};

/** Where the log is that the transfer is in. */
const logOf = (stack: Stack, { entry }: Sealed): string => {
  const policy = parsePolicy(readFileSync(stack.home.path("trust.policy"), "utf8"));
  return logUrlOf(policy, entry) ?? `${stack.urls.ledger ?? ""}/log`;
};

const keepReceipt = async (stack: Stack, sealed: Sealed): Promise<string> => {
  const path = stack.home.path("receipts", `${sealed.transferId}.tlog-proof`);
  writeFileSync(path, sealed.receipt);
  await keepForVerifying({
    path: stack.home.path("keylog"),
    logUrl: logOf(stack, sealed),
    ratesUrl: stack.urls["fx-desk"],
    entry: sealed.entry,
  });
  return path;
};

/** Resolves at Ctrl-C (or SIGTERM), or with a reason when a service ended by itself. */
const untilEnd = (stack: Stack): Promise<string | undefined> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => resolve(undefined));
    }
    void stack.failed.then(resolve);
  });

const run = async (talk: Talk): Promise<number> => {
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => reject(new InfraError("process-gone", "stopped while starting")));
    }
  });
  interrupted.catch(() => undefined);
  const world = withLanes(demoWorld, lanesFromEnv(process.env));
  const starting = startStack({
    dir,
    ports: portsFromEnv(process.env),
    // Empty is not given, as for the bootstrap.
    databaseUrl: process.env.DATABASE_URL || undefined,
    kafkaBrokers: process.env.KAFKA_BROKERS || undefined,
    onStep: talk.progress,
    console: true,
    world,
  });
  let stack: Stack;
  try {
    stack = await Promise.race([starting, interrupted]);
  } catch (error) {
    // What is being started is stopped as soon as it is there.
    await starting.then((late) => late.stop()).catch(() => undefined);
    throw error;
  }
  try {
    talk.progress("first liquidity");
    await sendFirstLiquidity(stack.home, stack.brokers, world.liquidity, world);
    await writeKeyLogFile(stack.home, stack.urls.ledger ?? "");
    talk.ready(stack);
    const sealed = await sendFirst(stack, talk);
    talk.sealed(stack, sealed, await keepReceipt(stack, sealed), logOf(stack, sealed));
    if (values.once) return 0;
    talk.waiting();
    const failed = await untilEnd(stack);
    if (failed !== undefined) talk.fault(failed);
    return failed === undefined ? 0 : 1;
  } finally {
    talk.progress("stopping");
    await stack.stop();
    talk.stopped();
  }
};

const talk = makeTalk(values.json);
try {
  process.exitCode = await run(talk);
} catch (error) {
  talk.fault(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();
