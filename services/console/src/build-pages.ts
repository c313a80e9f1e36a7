// Builds the pages in `web/` into `dist/`, when they are missing or older than their sources; otherwise it
// does nothing and costs a few ms. `dist/` is in no commit. Run by `npm start` and the tests, by the image's
// build, and by the console itself when it starts. Into a folder of its own first, so that an interrupted
// build leaves nothing that looks whole.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const room = fileURLToPath(new URL("../", import.meta.url));
const sources = join(room, "web");
/** Where the built pages are. */
export const pagesFolder = join(room, "dist");
const stampOf = (folder: string): string => join(folder, "stamp");

const isSource = (file: string): boolean => /\.(?:tsx?|css|html|svg)$/.test(file);

/** What the pages are made of: their sources, and the versions of what is bundled with them. */
const hashSources = (): string => {
  const hash = createHash("sha256");
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" }).filter(isSource);
  for (const file of files.toSorted()) {
    hash.update(`${file}\n`).update(readFileSync(join(sources, file)));
  }
  for (const file of ["package.json", "src/format.ts", "src/build-pages.ts"]) {
    hash.update(readFileSync(join(room, file)));
  }
  return hash.digest("hex");
};

const isFresh = (wanted: string): boolean =>
  existsSync(stampOf(pagesFolder)) && readFileSync(stampOf(pagesFolder), "utf8") === wanted;

/** Another console may have built the same at the same time: then that one stays. */
const putInPlace = (built: string, wanted: string): void => {
  rmSync(pagesFolder, { recursive: true, force: true });
  try {
    renameSync(built, pagesFolder);
  } catch (error) {
    if (!isFresh(wanted)) throw error;
  }
};

/** @param say told only when something is built */
export const buildPages = async (say: (line: string) => void): Promise<void> => {
  const wanted = hashSources();
  if (isFresh(wanted)) return;
  say("building the console's pages (when they changed; a few seconds)");
  const { build } = await import("vite");
  const unfinished = `${pagesFolder}.${process.pid}`;
  try {
    await build({
      root: sources,
      configFile: false,
      logLevel: "error",
      publicDir: false,
      build: {
        outDir: unfinished,
        emptyOutDir: true,
        target: "es2023",
        // Nothing inlined: the content security policy allows files of ours and nothing else.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        chunkSizeWarningLimit: 800,
      },
    });
    writeFileSync(stampOf(unfinished), wanted);
    putInPlace(unfinished, wanted);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  await buildPages((line) => process.stderr.write(`sealane: ${line}\n`));
}
