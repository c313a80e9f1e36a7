// A simulated bank as a process of its own, as a JSON file describes it; see docs/rooms/simulator.md. It prints one line
// when it is ready, and stops on SIGINT and SIGTERM.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { noteSigner } from "@sealane/client";
import { filePath, loadConfig, onShutdown, readSecretFile } from "@sealane/runtime";
import { z } from "zod";
import { startBank } from "./start-bank.ts";

const bankFile = z.strictObject({
  bank: z.string().min(1),
  port: z.int().min(0).max(65_535),
  tokenFile: z.string().min(1),
  directory: z.string().min(1),
  accounts: z.array(
    z.strictObject({
      owner: z.string().min(1),
      account: z.string().regex(/^[A-Z0-9]{4,34}$/),
      currency: z.string().regex(/^[A-Z]{3}$/),
      opening: z.string().optional(),
    }),
  ),
  signing: z.strictObject({ keyFile: z.string().min(1), origin: z.string().min(1) }).optional(),
});

const config = loadConfig(
  z.object({ SEALANE_BANK: filePath.describe("a JSON file that describes the bank") }),
);
const at = (path: string): string => resolve(dirname(config.SEALANE_BANK), path);
const described = bankFile.parse(JSON.parse(readFileSync(config.SEALANE_BANK, "utf8")));
const { bank, port, tokenFile, directory, signing } = described;
const running = await startBank({
  bank,
  port,
  directory: at(directory),
  token: readSecretFile(at(tokenFile)),
  accounts: described.accounts.map(({ opening, ...account }) => ({
    ...account,
    ...(opening === undefined ? {} : { opening }),
  })),
  ...(signing === undefined
    ? {}
    : {
        signing: {
          signer: noteSigner(readSecretFile(at(signing.keyFile))),
          origin: signing.origin,
        },
      }),
});
onShutdown([{ name: bank, run: () => running.close() }]);
// Said last: whoever hears it may stop the bank at once.
process.stdout.write(`${JSON.stringify({ event: "bank-ready", bank, url: running.url })}\n`);
