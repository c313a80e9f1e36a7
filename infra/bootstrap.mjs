// What `npm start`, `test` and `npm run` check, bench, faults, soak, demo:day, simulate, sabotage, verify:independent
// run first, on a fresh clone too: looks for the programs that have to be there, installs what is missing, and then hands over
// to Node 24 (which the install brings). Plain JavaScript for Node 20, no dependencies. Everything it says
// goes to standard error: standard output belongs to the command, which may print JSON there.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { mkdirSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const INFRA = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(INFRA);
const BIN = join(ROOT, "node_modules", ".bin");
const JARS = join(INFRA, ".kafka");
const POM = join(INFRA, "kafka", "pom.xml");
const WITHOUT_KAFKA = new Set(["check", "simulate"]);
const CHECKS = ["check:types", "check:lint", "check:format", "check:rooms"];

/** Tools must neither phone home nor ask for anything. */
const QUIET = {
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  NO_UPDATE_NOTIFIER: "1",
  npm_config_update_notifier: "false",
};

const say = (line) => process.stderr.write(`${line}\n`);

function fail(message) {
  say(`\nsealane: ${message}`);
  process.exit(1);
}

// --- what has to be there -------------------------------------------------------------------------

function checkPrograms(needsKafka) {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Node 20 or newer is needed to begin; this is ${process.version}.`);
  const missing = [];
  if (!isInstalled() && !runs("npm", ["--version"])) missing.push("npm");
  if (needsKafka) {
    const java = javaVersion();
    if (java < 17) missing.push(java === 0 ? "java (17 or newer)" : `java 17 (found ${java})`);
    if (!hasJars() && !runs("mvn", ["--version"])) missing.push("mvn (Maven)");
  }
  if (missing.length === 0) return;
  fail(
    `missing: ${missing.join(", ")}.\n` +
      `  Debian, Ubuntu:  apt-get install openjdk-17-jre-headless maven\n` +
      `  macOS:           brew install openjdk@17 maven\n` +
      `  Or set KAFKA_BROKERS=HOST:PORT to a Kafka of yours: then neither is needed.`,
  );
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: "ignore", env: outerEnvironment() }).status === 0;
}

function javaVersion() {
  const { stderr, status } = spawnSync("java", ["-version"], { encoding: "utf8" });
  const found = status === 0 ? /version "(\d+)/.exec(stderr) : null;
  return found === null ? 0 : Number(found[1]);
}

// --- npm dependencies -----------------------------------------------------------------------------

/** npm keeps a lock file of what it installed: it has to agree with ours. */
function isInstalled() {
  if (!existsSync(join(BIN, "node"))) return false;
  const wanted = readJson(join(ROOT, "package-lock.json"));
  const installed = readJson(join(ROOT, "node_modules", ".package-lock.json"));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted.packages).every(([path, { version, link, optional }]) => {
    if (!path.startsWith("node_modules/") || link) return true;
    const found = installed.packages[path];
    return found === undefined ? optional === true : found.version === version;
  });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** Our environment without node_modules/.bin: its Node is removed while `npm ci` runs. */
function outerEnvironment() {
  const path = (process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== BIN);
  return { ...process.env, ...QUIET, PATH: path.join(delimiter) };
}

async function installPackages() {
  if (isInstalled()) return;
  say("sealane: installing npm packages (once; a minute or two) …");
  const code = await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    env: outerEnvironment(),
  });
  if (code !== 0) fail("npm ci failed: see above. It needs the npm registry once.");
  if (existsSync(join(BIN, "node"))) return;
  fail("the package `node` brought no Node: are install scripts switched off (ignore-scripts)?");
}

// --- Kafka's jars ---------------------------------------------------------------------------------

const pomHash = () => createHash("sha256").update(readFileSync(POM)).digest("hex");

function hasJars() {
  const stamp = join(JARS, "stamp");
  return existsSync(stamp) && readFileSync(stamp, "utf8") === pomHash();
}

/** Into a folder of its own first, so that an interrupted download leaves nothing that looks whole. */
async function installKafka() {
  if (hasJars()) return;
  say("sealane: fetching Kafka by Maven (once; 44 MB) …");
  const unfinished = `${JARS}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  const output = `-DoutputDirectory=${join(unfinished, "lib")}`;
  const args = ["-q", "-B", "-f", POM, "dependency:copy-dependencies", output];
  const code = await run("mvn", [...args, "-DincludeScope=runtime"], { env: outerEnvironment() });
  if (code !== 0) fail("Maven could not fetch Kafka: see above. It needs a Maven repository once.");
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, "stamp"), pomHash());
  rmSync(JARS, { recursive: true, force: true });
  renameSync(unfinished, JARS);
}

// --- running things -------------------------------------------------------------------------------

/** Runs a helper to its end; its output goes to standard error. Ctrl-C ends it and us. */
function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", 2, 2], ...options });
    child.once("error", (error) => {
      say(`sealane: ${command}: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      if (signal === "SIGINT" || signal === "SIGTERM") process.exit(exitCodeOf(code, signal));
      resolve(exitCodeOf(code, signal));
    });
  });
}

function exitCodeOf(code, signal) {
  return signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
}

function innerEnvironment(extra = {}) {
  const path = [BIN, process.env.PATH ?? ""].join(delimiter);
  return { ...process.env, ...QUIET, ...extra, PATH: path };
}

/** The console's pages, when they are missing or changed; it says so itself. */
async function buildPages() {
  const program = join(ROOT, "services", "console", "src", "build-pages.ts");
  const code = await run(join(BIN, "node"), [program], { env: innerEnvironment() });
  if (code !== 0) fail("the console's pages could not be built: see above.");
}

const REPEAT_MS = 1000;

/**
 * Runs a command of ours and takes on its end. The command has a session of its own, so that the
 * terminal's Ctrl-C does not reach it beside us: it gets each signal once, from us, although we may get
 * one twice (from the terminal, and from npm, which passes its own on).
 */
function handOver(args, extra) {
  return new Promise((resolve) => {
    const parent = { SEALANE_PARENT_PID: String(process.pid) };
    const child = spawn(join(BIN, "node"), args, {
      cwd: ROOT,
      stdio: "inherit",
      detached: true,
      env: innerEnvironment({ ...extra, ...parent }),
    });
    const last = new Map();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => {
        const now = Date.now();
        const repeated = now - (last.get(signal) ?? 0) < REPEAT_MS;
        last.set(signal, now);
        if (!repeated) child.kill(signal);
      });
    }
    child.once("error", (error) => fail(`cannot run Node 24: ${error.message}`));
    child.once("exit", (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}

const WATCHED = ["--import", `file://${join(INFRA, "src", "parent-watch.ts")}`];

/** Runs a tool of node_modules by its script, with our Node. */
function tool(name) {
  const { bin } = readJson(join(ROOT, "node_modules", name, "package.json"));
  return join(ROOT, "node_modules", name, typeof bin === "string" ? bin : bin[name]);
}

// --- the commands ---------------------------------------------------------------------------------

/** Types, lint, format and rooms. Answers with how many passed and failed. */
async function check(tasks) {
  const summaries = join(ROOT, ".turbo", "runs");
  rmSync(summaries, { recursive: true, force: true });
  const options = ["--continue=always", "--output-logs=errors-only", "--summarize"];
  const args = [tool("turbo"), "run", ...tasks, ...options, "--ui=stream", "--no-update-notifier"];
  await run(join(BIN, "node"), args, { env: innerEnvironment() });
  const counts = readSummary(summaries, tasks);
  if (counts !== undefined) return counts;
  say(
    "sealane: turbo cannot run here (see above): running its tasks one by one, without its cache",
  );
  let failed = 0;
  for (const task of tasks) {
    const code = await run("npm", ["run", "--silent", task], { env: innerEnvironment() });
    say(`${code === 0 ? "passed" : "FAILED"}  ${task}`);
    if (code !== 0) failed += 1;
  }
  return { passed: tasks.length - failed, failed };
}

function readSummary(folder, tasks) {
  const [file] = existsSync(folder) ? readdirSync(folder) : [];
  const summary = file === undefined ? undefined : readJson(join(folder, file));
  const ended = summary?.tasks?.filter(({ execution }) => execution?.exitCode !== undefined) ?? [];
  if (ended.length !== tasks.length) return undefined;
  const passed = ended.filter(({ execution }) => execution.exitCode === 0).length;
  return { passed, failed: ended.length - passed };
}

/** vitest, counted. `args` as vitest takes them. */
async function vitest(args) {
  const folder = mkdtempSync(join(tmpdir(), "sealane-counts-"));
  const file = join(folder, "counts.json");
  const reporters = ["--reporter=default", `--reporter=${join(INFRA, "src", "count-reporter.ts")}`];
  const command = [...WATCHED, tool("vitest"), "run", ...reporters, ...args];
  const code = await handOver(command, { SEALANE_TEST_COUNTS: file });
  const counts = readJson(file) ?? { passed: 0, failed: 1 };
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { counts, code };
}

function finish(passed, failed) {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}

async function main([command, ...args]) {
  const needsKafka = !WITHOUT_KAFKA.has(command) && !process.env.KAFKA_BROKERS;
  checkPrograms(needsKafka);
  await installPackages();
  if (needsKafka) await installKafka();
  switch (command) {
    case "start":
      await buildPages();
      process.exit(await handOver([...WATCHED, join(INFRA, "src", "start.ts"), ...args]));
      break;
    case "bench":
      process.exit(await handOver([...WATCHED, join(ROOT, "bench", "src", "main.ts"), ...args]));
      break;
    case "demo:day": {
      // Only a day that is left up shows its console.
      if (!args.includes("--once")) await buildPages();
      const program = join(ROOT, "test", "demo-day", "main.ts");
      process.exit(await handOver([...WATCHED, program, ...args]));
      break;
    }
    case "faults": {
      const program = join(ROOT, "test", "faults", "main.ts");
      process.exit(await handOver([...WATCHED, program, ...args]));
      break;
    }
    case "soak": {
      const program = join(ROOT, "test", "faults", "soak", "main.ts");
      process.exit(await handOver([...WATCHED, program, ...args]));
      break;
    }
    case "verify:independent": {
      const program = join(ROOT, "test", "src", "independent", "main.ts");
      process.exit(await handOver([...WATCHED, program, ...args]));
      break;
    }
    case "simulate":
    case "sabotage": {
      const room = command === "simulate" ? "simulation" : command;
      process.exit(await handOver([...WATCHED, join(ROOT, "test", room, "main.ts"), ...args]));
      break;
    }
    case "check": {
      const { passed, failed } = await check(CHECKS);
      finish(passed, failed);
      break;
    }
    case "test": {
      // With arguments: only vitest, with these. Without: all that CI runs; vitest has the rooms too.
      const only = args.length > 0;
      const checked = only ? { passed: 0, failed: 0 } : await check(CHECKS.slice(0, 3));
      const { counts } = await vitest(args);
      finish(checked.passed + counts.passed, checked.failed + counts.failed);
      break;
    }
    default:
      fail(
        `unknown command ${command}: start, test, check, bench, faults, soak, demo:day, simulate, sabotage or verify:independent`,
      );
  }
}

await main(process.argv.slice(2));
