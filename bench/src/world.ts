// A stack of the benchmark's own: a fresh folder, free ports, nothing shared with a running demo. With a
// folder that is given, the stack that was stopped there goes on, on its ports: a long run in parts.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  demoWorld,
  freePorts,
  sendFirstLiquidity,
  startStack,
  withLanes,
  type Ports,
  type Stack,
} from "@sealane/infra";
import type { Target } from "./transfers.ts";

export type BenchWorld = {
  readonly stack: Stack;
  /** How many lanes decide. */
  readonly lanes: number;
  readonly payer: Target;
  readonly payee: Target;
  stop(): Promise<void>;
};

const tokenOf = (stack: Stack, name: string): string =>
  readFileSync(stack.home.keys(name, "api.token"), "utf8").trim();

/** An adapter's API, with its core's token. */
export const targetOf = (stack: Stack, name: "hk-wallet" | "ph-wallet"): Target => ({
  url: stack.urls[name] ?? "",
  token: tokenOf(stack, name),
});

/** Those of the stack that was here before: witnesses and cores are named by them. */
const portsOf = async (dir: string): Promise<Ports> => {
  const file = join(dir, "bench-ports.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Ports;
  const ports = await freePorts();
  writeFileSync(file, JSON.stringify(ports));
  return ports;
};

/** @param given stays when the stack stops; without it a folder is made and removed */
export const startWorld = async (
  say: (line: string) => void,
  lanes = 1,
  given?: string,
): Promise<BenchWorld> => {
  const dir = given ?? mkdtempSync(join(tmpdir(), "sealane-bench-"));
  const remove = (): void => {
    if (given === undefined && process.env["SEALANE_BENCH_KEEP"] === undefined) {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  try {
    mkdirSync(dir, { recursive: true });
    // As root, PostgreSQL runs as another user, who has to walk to its data: else they lie elsewhere and stay.
    chmodSync(dir, 0o711);
    const world = withLanes(demoWorld, lanes);
    const stack = await startStack({
      dir,
      world,
      ports: await portsOf(dir),
      traceRatio: 0.001,
      onStep: (step) => say(`starting: ${step}`),
    });
    await sendFirstLiquidity(stack.home, stack.brokers, world.liquidity, world);
    return {
      stack,
      lanes,
      payer: targetOf(stack, "hk-wallet"),
      payee: targetOf(stack, "ph-wallet"),
      stop: async () => {
        await stack.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
};
