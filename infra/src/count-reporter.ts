// A vitest reporter that writes how many tests passed and failed to the file that SEALANE_TEST_COUNTS
// names. A file that cannot be loaded and an error outside of any test count as failed; skipped tests
// count as neither. infra/bootstrap.mjs prints the sum as the last line of `npm test`.
import { writeFileSync } from "node:fs";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env["SEALANE_TEST_COUNTS"];
    if (file === undefined) return;
    let passed = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
      }
    }
    writeFileSync(file, JSON.stringify({ passed, failed }));
  }
}
