// A whole system for tests: its own folder, free ports, the demo's parties; and the oracles that look at
// it afterwards (`promises.md`).
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapterClient, type AdapterClient } from "@sealane/client";
import {
  demoWorld,
  freePorts,
  sendFirstLiquidity,
  startStack,
  withLanes,
  writeKeyLogFile,
  type FirstLiquidity,
  type Stack,
  type StackOptions,
  type World,
} from "@sealane/infra";

export type RawRequest = {
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
};

export type WholeSystem = {
  readonly stack: Stack;
  readonly hk: AdapterClient;
  readonly ph: AdapterClient;
  /** A raw call to an adapter, for input that the SDK would not send. */
  call(side: "hk-wallet" | "ph-wallet", path: string, init?: RawRequest): Promise<Response>;
  stop(): Promise<void>;
};

export type WholeSystemOptions = Pick<StackOptions, "closedBundles" | "console"> & {
  /** Other amounts than the demo's. */
  readonly liquidity?: readonly FirstLiquidity[];
  /** How many lanes decide; one unless it is said. */
  readonly lanes?: number;
  /** Wallets whose adapters have no key to sign with. */
  readonly hosted?: readonly string[];
  /** How the demo's parties settle, where it is not as in the demo. */
  readonly corridors?: World["corridors"];
};

export const startWholeSystem = async (options: WholeSystemOptions = {}): Promise<WholeSystem> => {
  const dir = mkdtempSync(join(tmpdir(), "sealane-test-"));
  chmodSync(dir, 0o711);
  const { liquidity, lanes = 1, corridors = demoWorld.corridors, ...more } = options;
  const world = withLanes({ ...demoWorld, corridors }, lanes);
  const stack = await startStack({ ...more, dir, world, ports: await freePorts(), traceRatio: 1 });
  await sendFirstLiquidity(stack.home, stack.brokers, liquidity, world);
  await writeKeyLogFile(stack.home, stack.urls.ledger ?? "");
  const token = (name: string): string =>
    readFileSync(stack.home.keys(name, "api.token"), "utf8").trim();
  const client = (name: string): AdapterClient =>
    adapterClient({ baseUrl: stack.urls[name] ?? "", token: token(name) });
  return {
    stack,
    hk: client("hk-wallet"),
    ph: client("ph-wallet"),
    call: (side, path, init = {}) =>
      fetch(`${stack.urls[side] ?? ""}${path}`, {
        ...init,
        headers: { Authorization: `Bearer ${token(side)}`, ...init.headers },
        signal: AbortSignal.timeout(30_000),
      }),
    stop: async () => {
      await stack.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
