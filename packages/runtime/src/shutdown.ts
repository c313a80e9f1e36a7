// An orderly end: on SIGINT, SIGTERM or an uncaught error the steps run in the order given (readiness
// off, stop accepting, finish the batch, flush, close). A step that fails does not stop the next ones,
// and makes the exit code 1; steps that hang are cut off after `withinMs`.
import closeWithGrace from "close-with-grace";

export type ShutdownStep = {
  readonly name: string;
  readonly run: () => Promise<void> | void;
};

export type ShutdownOptions = {
  /** All steps together get this long; default 10 s. */
  readonly withinMs?: number;
  /** Told of the reason (`SIGTERM`, or the error that ended the process) before the first step. */
  readonly onStart?: (reason: string, error?: Error) => void;
  /** Told of each step that failed. */
  readonly onStepFailed?: (step: string, error: Error) => void;
};

/**
 * Registers the steps; `close()` of the result runs them as a signal would, and ends the process.
 * Call it once, in `main.ts`.
 */
export function onShutdown(
  steps: readonly ShutdownStep[],
  options: ShutdownOptions = {},
): { close(): void; uninstall(): void } {
  const { withinMs = 10_000 } = options;
  const registered = closeWithGrace({ delay: withinMs, logger: false }, async ({ signal, err }) => {
    announce(options, signal ?? (err === undefined ? "close" : "error"), err);
    const clean = await runShutdown(steps, options);
    if (!clean) throw new Error("a step of the shutdown failed");
  });
  return { close: () => registered.close(), uninstall: () => registered.uninstall() };
}

/** An error that nobody listens for still has to be seen. */
function announce(options: ShutdownOptions, reason: string, error: Error | undefined): void {
  if (options.onStart !== undefined) return options.onStart(reason, error);
  if (error !== undefined) process.stderr.write(`${error.stack ?? error.message}\n`);
}

/** Runs the steps in order, each whatever became of the one before; true when all went well. */
export async function runShutdown(
  steps: readonly ShutdownStep[],
  options: ShutdownOptions = {},
): Promise<boolean> {
  let clean = true;
  for (const step of steps) {
    try {
      await step.run();
    } catch (thrown) {
      clean = false;
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      options.onStepFailed?.(step.name, error);
    }
  }
  return clean;
}
