export * from "./state.ts";
export * from "./windows.ts";
export * from "./netting.ts";
export * from "./postings.ts";
export * from "./bank-statement.ts";
export * from "./defaults.ts";
export * from "./rows.ts";
export * from "./calendar.ts";
