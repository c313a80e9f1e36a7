export * from "./types.ts";
export * from "./legs.ts";
export * from "./judge-transfer.ts";
