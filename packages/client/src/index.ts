export {
  fetchKeyLog,
  LogReadError,
  makeLogReader,
  readKeyLog,
  type KeyLogCopy,
  type LogReader,
} from "./log-reader.ts";
