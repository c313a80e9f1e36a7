// What other rooms use of the command line: the verifier, the audit and the export, as functions.
export { auditLog } from "./audit-log.ts";
export type { AuditDifference, AuditLogOptions, AuditReport } from "./audit-types.ts";
export { exportLog, type ExportOptions, type ExportReport } from "./export-log.ts";
export { openLog, readTile, type LogFiles, type LogSource } from "./log-source.ts";
export {
  formatBundle,
  parseBundle,
  type Bundle,
  type BundleParts,
  type ChainClaim,
  type Disclosure,
} from "./bundle-format.ts";
export { parseKeysCopy } from "./read-keys.ts";
export { parseRoots } from "./roots-file.ts";
export { verifyBundle, type BundleVerdict, type ChainVerdict } from "./verify-bundle.ts";
export {
  questions,
  verifyReceipt,
  type Check,
  type KeysCopy,
  type Question,
  type ReceiptFacts,
  type Verdict,
  type VerifyOptions,
} from "./verify-receipt.ts";
