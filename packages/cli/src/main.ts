// The program `sealane`: a list of commands, each in files of its own. Standard output belongs to the
// command's result; progress and faults go to standard error.
import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { registerApprove } from "./approve-command.ts";
import { registerAudit } from "./audit-command.ts";
import { registerBreak } from "./reconcile/break-command.ts";
import { registerReconcile } from "./reconcile/reconcile-command.ts";
import { registerExport } from "./export-command.ts";
import { registerKeys } from "./keys/commands.ts";
import { registerLane } from "./lane-command.ts";
import { registerMessages } from "./messages-command.ts";
import { registerReceipt } from "./receipt.ts";
import { registerRecover } from "./recover-command.ts";
import { registerReturns } from "./return-command.ts";
import { registerSend } from "./send.ts";
import { registerSettle } from "./settle/settle-command.ts";
import { registerStatement } from "./settle/statement-command.ts";
import { registerWindow } from "./settle/window-command.ts";
import { registerVerify } from "./verify-command.ts";
import { registerWatch } from "./watch.ts";

export const makeProgram = (): Command => {
  const program = new Command("sealane")
    .description("Send transfers, and check for yourself what became of them.")
    .version(packageJson.version, "-V, --version")
    .showHelpAfterError("(add --help to see what there is)");
  registerSend(program);
  registerWatch(program);
  registerReturns(program);
  registerReceipt(program);
  registerVerify(program);
  registerMessages(program);
  registerAudit(program);
  registerExport(program);
  registerKeys(program);
  registerApprove(program);
  registerLane(program);
  registerWindow(program);
  registerSettle(program);
  registerStatement(program);
  registerReconcile(program);
  registerBreak(program);
  registerRecover(program);
  return program;
};

/** @param argv as `process.argv`; the exit code is set, never forced, so that all output gets out */
export const main = async (argv: readonly string[]): Promise<void> => {
  // A reader that has seen enough (`| head`) is no fault.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  await makeProgram().parseAsync([...argv]);
};
