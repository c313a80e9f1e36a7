// Two kinds of tests: those that need nothing, and those that need a real Kafka and PostgreSQL, which
// are started once for the whole run (infra/src/test-servers.ts) and only if such a test runs. Suffixes
// say which is which: *.pg.test.ts, *.kafka.test.ts, and *.system.test.ts for whole systems.
import { defineConfig } from "vitest/config";

const TESTS = [
  "packages/*/src/**/*.test.ts",
  "services/*/src/**/*.test.ts",
  "infra/src/**/*.test.ts",
];
const WITH_SERVERS = ["**/*.pg.test.ts", "**/*.kafka.test.ts", "**/*.system.test.ts"];

export default defineConfig({
  test: {
    // Forks, not threads: signing threads and signals of the code under test are its own.
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: [...TESTS, "bench/src/**/*.test.ts", "test/{src,faults,sabotage}/**/*.test.ts"],
          exclude: WITH_SERVERS,
          testTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: "servers",
          include: WITH_SERVERS,
          exclude: ["**/node_modules/**"],
          globalSetup: "infra/src/test-servers.ts",
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
