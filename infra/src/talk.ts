// What `npm start` says: to a person, with steps and their times; to a program, one JSON object a line.
import type { SendResult } from "@sealane/client";
import type { Stack } from "./stack.ts";

type Sealed = Extract<SendResult, { outcome: "sealed" }>;

export type Talk = {
  readonly progress: (what: string) => void;
  readonly ready: (stack: Stack) => void;
  readonly step: (step: string, ms: number) => void;
  readonly sealed: (stack: Stack, sealed: Sealed, receipt: string, log: string) => void;
  readonly waiting: () => void;
  readonly stopped: () => void;
  readonly fault: (message: string) => void;
};

const out = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const logUrl = (stack: Stack): string => `${stack.urls.ledger ?? ""}/log`;

const urlsOf = (stack: Stack): Record<string, string> => {
  const { cores, ...services } = stack.urls;
  return {
    ...services,
    log: logUrl(stack),
    "hk-core": cores ?? "",
    "ph-core": `http://127.0.0.1:${stack.ports.phCore}`,
  };
};

/** For programs: `ready`, then `sealed`; progress and faults go to standard error. */
const jsonTalk = (): Talk => {
  const say = (event: object): void => out(JSON.stringify(event));
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  return {
    progress: (what) => note(`sealane: ${what}`),
    ready: (stack) =>
      say({ event: "ready", urls: urlsOf(stack), policy: stack.home.path("trust.policy") }),
    step: () => undefined,
    sealed: (_stack, { transferId, transfer, steps }, receipt, log) =>
      say({
        event: "sealed",
        transferId,
        sent: transfer.sent,
        received: transfer.received,
        steps,
        receipt,
        log,
      }),
    waiting: () => undefined,
    stopped: () => undefined,
    fault: (message) => {
      say({ event: "failed", detail: message });
      note(`sealane: ${message}`);
    },
  };
};

const personTalk = (): Talk => {
  const begin = Date.now();
  const since = (): string => `${((Date.now() - begin) / 1_000).toFixed(1).padStart(5)} s`;
  return {
    progress: (what) => out(`${since()}  ${what}`),
    ready: () => {
      out(`${since()}  everything is up`);
      out("");
      out("Sending HKD 1,000.00 from +85290000001 (hk-wallet) to +639170000001 (ph-wallet)");
    },
    step: (step, ms) => out(`  ${step.padEnd(10)} ${ms.toFixed(1).padStart(7)} ms`),
    sealed: (stack, { transferId, transfer }, receipt) => {
      const { sent, received, fee, rate } = transfer;
      out(`  paid out   ${received?.currency ?? ""} ${received?.amount ?? ""}`);
      out(`             ${sent?.currency} ${sent?.amount} less ${fee?.amount} fee, at ${rate}`);
      out("");
      out(`Transfer   ${transferId}`);
      out(`Receipt    ${receipt}`);
      out(`Console    ${stack.urls.console ?? "not started"}`);
      out(`Check it   npx sealane verify ${receipt} --policy ${stack.home.path("trust.policy")}`);
      out("");
      for (const [name, url] of Object.entries(urlsOf(stack))) out(`  ${name.padEnd(15)} ${url}`);
      out("");
      out(
        "  The log's entries and the console ask for no token here: this stack is on 127.0.0.1 only.",
      );
    },
    waiting: () => {
      out("");
      out("Send more: npx sealane send --from hk-wallet --to ph-wallet --amount 250.00");
      out("Ctrl-C stops everything.");
    },
    stopped: () => out("Everything is stopped."),
    fault: (message) => {
      process.stderr.write(`\nsealane: ${message}\n`);
    },
  };
};

export const makeTalk = (json: boolean): Talk => (json ? jsonTalk() : personTalk());
