// Starts one simulated settlement bank: a folder that it looks at, and a door on 127.0.0.1.
import { bearerAuth, createHttpApp, health, startHttp, tokenDigest } from "@sealane/http";
import { mountBank } from "./bank-routes.ts";
import { openBank, type Bank } from "./bank.ts";
import type { BankFault, BankOptions } from "./bank-types.ts";

export type RunningBank = Pick<
  Bank,
  "take" | "move" | "release" | "retry" | "cover" | "issue" | "documents" | "accounts"
> & {
  readonly bank: string;
  readonly url: string;
  readonly port: number;
  /** Of a paper, by its name. */
  readonly path: (name: string) => string;
  readonly inject: (fault: BankFault) => void;
  readonly clearFaults: () => void;
  readonly close: () => Promise<void>;
};

/** Takes what lies in `in`, one file after the other; what is no instructions goes to `refused`. */
const takeWaiting = async ({ folder, take }: Bank): Promise<void> => {
  for (const name of folder.waiting()) {
    const taken = await take(folder.incoming(name));
    folder.done(name, taken.ok ? "taken" : "refused");
  }
};

/** Looks at the folder until told to stop. @returns stops, after what is being taken */
const watchFolder = (bank: Bank, pollMs: number): (() => Promise<void>) => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  const look = (): void => {
    looking = takeWaiting(bank).then(() => {
      if (!stopped) timer = setTimeout(look, pollMs);
    });
  };
  look();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await looking;
  };
};

/** Opens the folder and starts listening. */
export const startBank = async (options: BankOptions): Promise<RunningBank> => {
  const bank = openBank(options);
  const operator = bearerAuth(new Map([["operator", tokenDigest(options.token)]]));
  const app = createHttpApp({ name: `bank ${options.bank}`, auth: { operator } });
  mountBank(app, bank);
  health(app, { ready: () => ({ ok: true, checks: { folder: "ok" } }) });
  const server = await startHttp({ app, port: options.port });
  const unwatch = watchFolder(bank, options.pollMs ?? 200);
  const { take, move, release, retry, cover, issue, documents, accounts } = bank;
  const { faults, folder } = bank;
  return {
    bank: options.bank,
    url: server.url,
    port: server.port,
    take,
    move,
    release,
    retry,
    cover,
    issue,
    documents,
    accounts,
    path: folder.path,
    inject: faults.inject,
    clearFaults: faults.clear,
    close: async () => {
      await unwatch();
      const closing = server.close();
      server.server.closeAllConnections();
      await closing;
    },
  };
};
