// The test kit: a little world of participants and one lane, with no service, clock or randomness.
export * from "./audit-kit.ts";
export * from "./changed-log.ts";
export * from "./forge.ts";
export * from "./forged-key-logs.ts";
export * from "./forged-statements.ts";
export * from "./forgeries.ts";
export * from "./genesis.ts";
export * from "./key-log-kit.ts";
export * from "./lane-moves.ts";
export * from "./keys.ts";
export * from "./reconcile-corpus.ts";
export * from "./replaced-keys.ts";
export * from "./settlement-kit.ts";
export * from "./return-log.ts";
export * from "./return-statements.ts";
export * as say from "./statements.ts";
export type { Signing, TermsOptions } from "./statements.ts";
export * from "./world.ts";
